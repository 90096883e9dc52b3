"""What is wrong in rule files whose values all have the right shape."""
