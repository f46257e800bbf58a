"""What sensors' readings mean: filters, wrenches, touch."""
