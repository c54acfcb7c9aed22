"""The changes of a program that are tried: each undoes a mistake that people make in a line."""

from cnncli.checking.repair.edits.joint import list_joint_edits
from cnncli.checking.repair.edits.list import list_edits
from cnncli.checking.repair.edits.reach import find_reachable

__all__ = ["find_reachable", "list_edits", "list_joint_edits"]
