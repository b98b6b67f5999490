"""The numbers in the README, each one command."""
