"""Byte-level BPE tokenizer: training it, loading it, and the files that describe it.

    python -m setun_reference.tokenizer --text corpus.txt --output tokenizer/ --vocab-size 4096

The layout is GPT-2's: text becomes UTF-8 bytes, a regular expression cuts it into words, and merges never cross a word.
No text is unknown to such a tokenizer, and decoding returns the exact bytes that went in.
"""
import argparse
import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

BOS, EOS = "<|bos|>", "<|eos|>"
BOS_ID, EOS_ID = 0, 1

# A story model has no notion of turns: a conversation is one growing story. A user message is story text, an assistant
# message carries it on and ends the paragraph, system messages are ignored. Trimming matters: a trailing space would force
# the next word to begin without one, which this tokenizer hardly ever saw.
CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ message['content'] | trim }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' }}{{ message['content'] | trim }}"
    "{% if not loop.last %}{{ '\\n' }}{% endif %}"
    "{% endif %}"
    "{% endfor %}"
)


def train_tokenizer(text_path, vocab_size=4096):
    """Learns the merges from one text file; the special tokens take ids 0 and 1, the 256 bytes follow."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[BOS, EOS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    # Line by line, newline included, so that the newline token is counted as the model will see it.
    with open(text_path, encoding="utf-8") as lines:
        tokenizer.train_from_iterator(lines, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, BOS_ID)])
    return tokenizer


def tokenizer_config(max_length):
    """Returns the contents of tokenizer_config.json."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS,
        "eos_token": EOS,
        "add_bos_token": True,
        "add_eos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": max_length,
        "chat_template": CHAT_TEMPLATE,
    }


def save_tokenizer(tokenizer, directory, max_length=2048):
    """Writes tokenizer.json and tokenizer_config.json."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(max_length), indent=2) + "\n")


def load_tokenizer(directory):
    """Reads tokenizer.json from a directory."""
    return Tokenizer.from_file(str(Path(directory) / "tokenizer.json"))


def main():
    parser = argparse.ArgumentParser(description="Train a byte-level BPE tokenizer.")
    parser.add_argument("--text", required=True, help="training text, UTF-8")
    parser.add_argument("--output", required=True, help="directory for tokenizer.json and tokenizer_config.json")
    parser.add_argument("--vocab-size", type=int, default=4096)
    args = parser.parse_args()
    tokenizer = train_tokenizer(args.text, args.vocab_size)
    save_tokenizer(tokenizer, args.output)
    text = Path(args.text).read_text(encoding="utf-8")
    count = len(tokenizer.encode(text, add_special_tokens=False).ids)
    print(f"{tokenizer.get_vocab_size()} tokens, {len(text.encode()) / count:.3f} bytes a token")


if __name__ == "__main__":
    main()
