"""A provider's bill beside our figures: files read, names matched, differences by model, UTC day and token class."""
