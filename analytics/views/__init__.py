"""Pages of analytics: parse, call, render."""
