"""Quizzes: a few questions at the end of a chapter that answer back, in the page and in a notebook, without a kernel.

The questions are in a folder for each language, a file for each chapter.
"""

from utils.quiz.form import Quiz, quiz

__all__ = ["Quiz", "quiz"]
