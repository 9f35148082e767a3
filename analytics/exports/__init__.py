"""Files and flat rows of answers: what a report holds, and how it is written piece by piece."""
