"""Run every measurement, one after another."""

from bench import throughput

if __name__ == "__main__":
    throughput.main()
