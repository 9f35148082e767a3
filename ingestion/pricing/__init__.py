"""The price book: which price a request gets, and what it then costs."""
