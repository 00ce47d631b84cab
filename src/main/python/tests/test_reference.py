"""Run with: python -m unittest discover tests

Set GOLDEN to a directory of checkpoints with expected.safetensors and expected.json to check those as well.
"""
import json
import math
import os
import tempfile
import unittest
from pathlib import Path

import torch
from safetensors.torch import load_file

from setun_reference.data import split_documents
from setun_reference.evaluate import default_context, keep, score
from setun_reference.export import export, load_checkpoint
from setun_reference.gather import gather_dot, gather_sum
from setun_reference.logits import greedy, logits_of
from setun_reference.model import TernaryLM
from setun_reference.quantization import PACKINGS, absmean_ternary, keep_largest, pack, quantize, sparsify, unpack
from setun_reference.recurrence import gated_scan
from setun_reference.tokenizer import BOS, BOS_ID, EOS_ID, load_tokenizer, train_tokenizer
from setun_reference.train import initialize
from setun_reference.variants import VARIANTS, active_parameters
from setun_reference.warm_start import draw_masters, warm_start

CONFIG = Path(__file__).parent.parent / "configs" / "fairy-tales.json"


def small_model(channels=("glu", "peer"), sparsity=None):
    """A model of the shipped architecture, but small, with one layer for each channel mixer."""
    config = json.loads(CONFIG.read_text())
    layers = {entry["channel"]["kind"]: {**entry, "repeat": 1} for entry in config["layers"]}
    layers["glu"]["channel"]["intermediate_size"] = 96
    layers["peer"]["channel"].update(num_experts=64, num_heads=2, top_k=4, key_dim=8)
    config.update(vocab_size=300, hidden_size=64, num_hidden_layers=len(channels),
                  layers=[layers[kind] for kind in channels])
    if sparsity is not None:
        config["sparsity"] = sparsity
    model = TernaryLM(config)
    initialize(model)
    return model


def tiny_tokenizer(directory):
    text = Path(directory) / "text.txt"
    text.write_text("Once upon a time there was a fox.\n" * 20)
    return train_tokenizer(str(text), 300)


class QuantizationTest(unittest.TestCase):
    def test_unpacking_returns_the_packed_trits(self):
        trits = torch.randint(-1, 2, (12, 44), dtype=torch.int8)
        for kind in PACKINGS:
            self.assertTrue(torch.equal(unpack(kind, pack(kind, trits), 44), trits), kind)

    def test_halves_round_to_even_and_zero_stays_zero(self):
        codes, _ = quantize(torch.tensor([[127.0, 62.5, -61.5, 0.0], [0.0, 0.0, 0.0, 0.0]]))
        self.assertEqual(codes.tolist(), [[127.0, 62.0, -62.0, 0.0], [0.0, 0.0, 0.0, 0.0]])

    def test_equal_magnitudes_keep_the_lowest_index(self):
        codes = torch.tensor([[3.0, -5.0, 5.0, 5.0]])
        self.assertEqual(sparsify(codes, {"kind": "topk", "ratio": 0.5}).tolist(), [[0.0, -5.0, 5.0, 0.0]])

    def test_training_keeps_the_same_codes_and_those_that_tie_with_the_smallest(self):
        for width, keep, largest in [(1, 1, 128), (5, 2, 4), (64, 39, 128), (97, 97, 3), (96, 1, 128)]:
            codes = torch.randint(-largest, largest, (50, width)).float()
            exact = sparsify(codes, {"kind": "topk", "ratio": keep / width})
            smallest = codes.abs().sort(-1, descending=True).values[:, keep - 1:keep]
            kept = keep_largest(codes, keep)
            self.assertTrue(torch.equal(kept, codes * (codes.abs() >= smallest)), (width, keep))
            self.assertTrue(torch.equal(kept[exact != 0], exact[exact != 0]), (width, keep))


class RecurrenceTest(unittest.TestCase):
    def test_gradients_match_finite_differences(self):
        f, u, h = (torch.rand(shape, dtype=torch.double, requires_grad=True) for shape in [(2, 5, 3), (2, 5, 3), (2, 3)])
        self.assertTrue(torch.autograd.gradcheck(gated_scan, (f, u, h)))


class GatherTest(unittest.TestCase):
    def test_gradients_match_finite_differences(self):
        x, table, weight = (torch.rand(shape, dtype=torch.double, requires_grad=True) for shape in [(5, 6), (7, 6), (5, 3)])
        index = torch.randint(0, 7, (5, 3))  # rows are chosen several times, and by one token too
        self.assertTrue(torch.autograd.gradcheck(lambda x, table: gather_dot(x, table, index), (x, table)))
        self.assertTrue(torch.autograd.gradcheck(lambda weight, table: gather_sum(weight, table, index), (weight, table)))


class WarmStartTest(unittest.TestCase):
    def test_masters_round_to_the_trits_they_were_drawn_for(self):
        trits, scale = absmean_ternary(torch.randn(64, 64))
        again, drawn = absmean_ternary(draw_masters(trits, scale))
        self.assertLess((again != trits).float().mean().item(), 0.02)
        self.assertAlmostEqual(drawn.item(), scale.item(), delta=0.03 * scale.item())

    def test_layers_of_the_source_are_taken_in_order_around_new_ones(self):
        source, model = small_model(("glu", "glu")), small_model(("glu", "peer", "glu"))
        with tempfile.TemporaryDirectory() as directory:
            export(source, tiny_tokenizer(directory), directory, floats="f32")
            self.assertEqual(warm_start(model, directory), [0, 2])
            with self.assertRaisesRegex(ValueError, "1 layers found no place"):
                warm_start(small_model(("glu", "peer")), directory)
        self.assertTrue(torch.equal(model.model.embed_tokens.weight, source.model.embed_tokens.weight))
        taken, given = (m.model.layers[-1].channel.down_proj.trits()[0] for m in (model, source))
        self.assertLess((taken != given).float().mean().item(), 0.02)


class ModelTest(unittest.TestCase):
    def test_carrying_the_state_equals_one_long_sequence(self):
        model = small_model().eval()
        ids = torch.randint(2, 300, (1, 20))
        with torch.no_grad():
            whole, _ = model(ids)
            first, states = model(ids[:, :7])
            second, _ = model(ids[:, 7:], states)
        self.assertTrue(torch.allclose(torch.cat([first, second], 1), whole, atol=1e-5))

    def test_training_mode_computes_what_evaluation_mode_computes(self):
        model = small_model(sparsity={"kind": "none"})  # ties of a sparse layer differ, see sparsify
        ids = torch.cat([torch.tensor([[BOS_ID]]), torch.randint(2, 300, (1, 20))], 1)
        with torch.no_grad():
            self.assertTrue(torch.allclose(model.train()(ids)[0], model.eval()(ids)[0], atol=1e-4))

    def test_every_part_of_an_expert_layer_is_trained(self):
        model = small_model(("peer",)).train()
        model(torch.randint(2, 300, (2, 20)))[0].square().mean().backward()
        for name, parameter in model.model.layers[0].channel.named_parameters():
            self.assertGreater(parameter.grad.abs().max().item(), 0, name)

    def test_an_exported_checkpoint_computes_what_the_model_computes(self):
        model = small_model().eval()
        with tempfile.TemporaryDirectory() as directory:
            tokenizer = tiny_tokenizer(directory)
            ids = tokenizer.encode("a fox").ids
            for packing in ("b3", "u2_rows"):
                export(model, tokenizer, directory, linear=packing, experts="b3", floats="f32")
                loaded = load_checkpoint(directory)
                self.assertTrue(torch.allclose(logits_of(loaded, ids), logits_of(model, ids), atol=1e-5), packing)
            self.assertEqual(load_tokenizer(directory).encode("a fox").ids, ids)

    @unittest.skipUnless("GOLDEN" in os.environ, "GOLDEN names no directory")
    def test_golden_checkpoints_give_their_expected_values(self):
        for expected in Path(os.environ["GOLDEN"]).rglob("expected.safetensors"):
            directory = expected.parent
            if not (directory / "config.json").exists():
                continue
            if json.loads((directory / "config.json").read_text()).get("model_type") != "ternary":
                continue
            with self.subTest(directory.name):
                model, values = load_checkpoint(directory), load_file(expected)
                ids = values["input_ids"].tolist()
                self.assertLess((logits_of(model, ids) - values["logits"]).abs().max().item(), 1e-4)
                tokens = json.loads((directory / "expected.json").read_text())["greedy"]
                self.assertEqual(greedy(model, ids, len(tokens))[0], tokens)


class EvaluateTest(unittest.TestCase):
    def test_the_score_is_the_likelihood_of_every_token_after_the_beginning(self):
        model = small_model().train()
        with tempfile.TemporaryDirectory() as directory:
            tokenizer = tiny_tokenizer(directory)
        result = score(model, tokenizer, ["a fox", "f\u00fcchse"])
        self.assertTrue(model.training)
        bits = 0.0
        for text in ("a fox", "f\u00fcchse"):
            ids = tokenizer.encode(text).ids
            logits = logits_of(model.eval(), ids[:-1])
            bits -= sum(row.log_softmax(-1)[token].item() for row, token in zip(logits, ids[1:])) / math.log(2)
        self.assertAlmostEqual(result.bits, bits, places=3)
        self.assertEqual(result.bytes, 12)
        self.assertAlmostEqual(result.perplexity, 2 ** (bits / result.tokens), places=3)

    def test_windows_are_scored_as_books_of_their_own(self):
        model = small_model()
        with tempfile.TemporaryDirectory() as directory:
            tokenizer = tiny_tokenizer(directory)
        text = "Once upon a time there was a fox."
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        parts = [tokenizer.decode(ids[start:start + 3]) for start in range(0, len(ids), 3)]
        windows, books = score(model, tokenizer, [text], context=3), score(model, tokenizer, parts)
        self.assertEqual((windows.tokens, windows.bytes), (books.tokens, books.bytes))
        self.assertAlmostEqual(windows.bits, books.bits, places=2)
        self.assertNotAlmostEqual(windows.bits, score(model, tokenizer, [text]).bits, places=2)

    def test_attention_bounds_the_context(self):
        config = small_model().config
        self.assertIsNone(default_context(config))
        config["layers"][1]["mixer"]["kind"] = "attention"
        self.assertEqual(default_context(config), 2048)

    def test_keeping_all_is_dense_and_keeping_less_changes_the_logits(self):
        model = small_model(sparsity={"kind": "topk", "ratio": 0.6}).eval()
        dense = small_model(sparsity={"kind": "none"}).eval()
        dense.load_state_dict(model.state_dict())
        keep(model, 1)
        self.assertTrue(torch.equal(logits_of(model, [0, 5, 9]), logits_of(dense, [0, 5, 9])))
        keep(model, 0.4)
        self.assertFalse(torch.allclose(logits_of(model, [0, 5, 9]), logits_of(dense, [0, 5, 9]), atol=1e-3))


class VariantTest(unittest.TestCase):
    def test_every_variant_can_be_trained(self):
        for name, variant in VARIANTS.items():
            with self.subTest(name):
                model = TernaryLM(variant(small_model().config)).train()
                initialize(model)
                model(torch.randint(2, 300, (2, 9)))[0].square().mean().backward()

    def test_a_glu_takes_the_place_of_a_peer_of_equal_active_parameters(self):
        config = json.loads(CONFIG.read_text())
        replaced = VARIANTS["glu"](config)
        for layer, other in zip(config["layers"], replaced["layers"]):
            self.assertEqual(other["channel"]["kind"], "glu")
            ratio = active_parameters(config, other["channel"]) / active_parameters(config, layer["channel"])
            self.assertAlmostEqual(ratio, 1, delta=0.01)


class TokenizerTest(unittest.TestCase):
    def test_bos_is_added_and_any_text_returns(self):
        with tempfile.TemporaryDirectory() as directory:
            tokenizer = tiny_tokenizer(directory)
        encoded = tokenizer.encode("Füchse 🦊\n fox")
        self.assertEqual(encoded.ids[0], BOS_ID)
        self.assertEqual(tokenizer.decode(encoded.ids), "Füchse 🦊\n fox")
        self.assertEqual(tokenizer.token_to_id(BOS), BOS_ID)
        self.assertEqual(tokenizer.token_to_id("<|eos|>"), EOS_ID)


class DataTest(unittest.TestCase):
    def test_titles_begin_documents(self):
        long = "Once upon a time there lived a king who had a daughter, and she was fond of riding on bears. "
        book = f"THE BEAR\n{long}\n'Yes,' she said.\nThe Second Bear\n{long}"
        self.assertEqual(split_documents(book), [("THE BEAR\n", f"{long}\n'Yes,' she said."), ("The Second Bear\n", long)])


if __name__ == "__main__":
    unittest.main()
