"""What the benchmarks share: processes and their memory, bytes on the wire, libraries to measure
with, and the report. Measures Bifolio from outside and decides nothing about it."""
