"""From plain-text books to token streams.

A corpus is one text file: one paragraph per line, books separated by two empty lines. A document is one story or chapter:
it begins with <|bos|>, ends with <|eos|>, and often starts with its title. Titles are dropped at random, so that the model
learns to open a story both with one and without.
"""
import re
from pathlib import Path

import numpy as np

from .tokenizer import BOS_ID, EOS_ID

LONGEST_TITLE = 70
SHORTEST_OPENING = 80  # a title is followed by a proper paragraph, not by another short line


def read_books(path):
    """Returns the text of each book."""
    return [book for book in Path(path).read_text(encoding="utf-8").split("\n\n\n") if book.strip()]


def strip_boilerplate(lines):
    """Drops the distributor's legal text, which ends with a line such as *END*THE SMALL PRINT!..., if there is one."""
    for index, line in enumerate(lines[:200]):
        if "*END" in line:
            return lines[index + 1:]
    return lines


def is_title(line, following):
    """Guesses whether a line names the story or chapter that follows."""
    words = re.findall(r"[A-Za-z']+", line)
    return (
        bool(words)
        and len(line) < LONGEST_TITLE
        and len(following) > SHORTEST_OPENING
        and not re.search(r"[.,;:!?'\"\-)\]]\s*$", line)
        and sum(word[0].isupper() for word in words) >= 0.6 * len(words)
    )


def split_documents(book):
    """Cuts a book at its titles; returns (title or "", text) pairs."""
    lines = strip_boilerplate([line for line in book.split("\n") if line.strip()])
    documents, title, body = [], "", []
    for line, following in zip(lines, lines[1:] + [""]):
        if is_title(line, following):
            if body:
                documents.append((title, "\n".join(body)))
            title, body = line.strip() + "\n", []
        else:
            body.append(line)
    if body:
        documents.append((title, "\n".join(body)))
    return documents


class TrainingStream:
    """Endless batches of contiguous tokens.

    Every epoch shuffles the documents, joins them to one stream and cuts the stream into `rows` lanes. Batch after batch
    walks along the lanes, so that a recurrent state can be carried from one batch to the next.
    """

    def __init__(self, path, tokenizer, rows, length, seed=0):
        self.rows, self.length, self.seed = rows, length, seed
        documents = [document for book in read_books(path) for document in split_documents(book)]
        self.titles = [tokenizer.encode(title, add_special_tokens=False).ids for title, _ in documents]
        self.bodies = [tokenizer.encode(body, add_special_tokens=False).ids for _, body in documents]
        self.tokens = sum(map(len, self.bodies))

    def epoch(self, number):
        """Returns the lanes of an epoch, [rows, n]. The same number always gives the same lanes."""
        rng = np.random.default_rng((self.seed, number))
        stream = []
        for index in rng.permutation(len(self.bodies)):
            title = self.titles[index] if rng.random() < 0.5 else []
            stream += [BOS_ID, *title, *self.bodies[index], EOS_ID]
        width = len(stream) // self.rows
        return np.array(stream[: width * self.rows], dtype=np.int64).reshape(self.rows, width)

    def batches(self, epoch=0, position=0):
        """Yields (tokens [rows, length + 1], epoch, position of the next batch), from any place on."""
        while True:
            lanes = self.epoch(epoch)
            while position + self.length + 1 <= lanes.shape[1]:
                batch = lanes[:, position:position + self.length + 1]
                position += self.length
                yield batch, epoch, position
            epoch, position = epoch + 1, 0
