"""What can be said of texts and addresses alone: folding, dates, encodings, likeness."""
