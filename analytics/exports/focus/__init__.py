"""The FinOps Open Cost and Usage Specification (FOCUS): which columns there are, and what each says of a meter."""
