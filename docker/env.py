"""Writes `.env` with new secrets for docker-compose.yml: `make env`. An existing file is never changed."""

import base64
import os
import secrets
import sys
from pathlib import Path

TEMPLATE = """\
# Secrets of this installation, drawn by `make env`. Keep a copy: without FERNET_KEY, connections and variables stored
# in Airflow cannot be read any more. Database passwords are used when the volume is made; later changes need
# ALTER ROLE as well.
POSTGRES_PASSWORD={postgres}
AIRFLOW_DB_PASSWORD={airflow}
RESULTS_DB_PASSWORD={results}
NEWS_DB_PASSWORD={news}
NEWS_WRITER_PASSWORD={writer}
NEWS_READER_PASSWORD={reader}
REDIS_PASSWORD={redis}
FERNET_KEY={fernet}
API_SECRET_KEY={api}
JWT_SECRET={jwt}

# Log in at http://127.0.0.1:8080 as admin with this password; it is set when the user is made.
ADMIN_PASSWORD={admin}

# Where the UI listens. Put a server with TLS in front before this becomes anything but 127.0.0.1.
AIRFLOW_BIND=127.0.0.1
AIRFLOW_PORT=8080

# Put into the User-Agent, so that the sites know whom to write to: a URL or an e-mail address.
NEWS_CONTACT=
# Alerts are posted there as JSON {{"text": ...}}.
NEWS_ALERT_WEBHOOK=
"""


def main() -> None:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else ".env")
    names = ("postgres", "airflow", "results", "news", "writer", "reader", "redis", "api", "admin")
    # Hexadecimal, because they become parts of URLs.
    drawn = {name: secrets.token_hex(24) for name in names}
    drawn |= {"jwt": secrets.token_hex(64), "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.exit(f"{path} is there already and stays as it is; remove it to draw new secrets")
    with os.fdopen(descriptor, "w") as file:
        file.write(TEMPLATE.format(**drawn))
    print(f"{path} written; log in as admin with the ADMIN_PASSWORD in it")  # noqa: T201


if __name__ == "__main__":
    main()
