"""What feed documents say, as plain values: RSS, Atom, JSON Feed and sitemaps."""
