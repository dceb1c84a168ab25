"""Pure functions on texts and addresses: folding, dates, encodings, similarity."""
