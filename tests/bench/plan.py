"""What is measured and how often: the words that all measurements take which let several take turns."""

import argparse
import pathlib


def parser(turns):
    """Of a program whose contenders take so many `turns`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument(f"--{turns}", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--scale", type=float, default=1.0)
    return parser
