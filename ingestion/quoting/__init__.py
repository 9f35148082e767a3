"""What the price book says of a model and its requests, what new prices would make them cost, and adding them."""
