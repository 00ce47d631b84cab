"""PyTorch reference, training and export of ternary sparse language models."""
