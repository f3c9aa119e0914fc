"""The benches, one a file: each takes a folder and a scale and gives a result."""
