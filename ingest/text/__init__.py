"""Functions on texts and addresses alone: folding, dates, encodings, similarity."""
