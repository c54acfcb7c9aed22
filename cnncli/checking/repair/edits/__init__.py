"""The changes of a program that are tried: each undoes a mistake that people make in a line."""
