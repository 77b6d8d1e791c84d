"""What things cost, measured: `make bench`. See docs/performance.md."""
