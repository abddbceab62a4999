"""Speed and cost of flow beside RQ's, measured in one run: docs/benchmarks.md."""
