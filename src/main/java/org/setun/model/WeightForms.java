package org.setun.model;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.setun.tensor.Base3Matrix;
import org.setun.tensor.CellMatrix;
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.ScreenMatrix;
import org.setun.tensor.TernaryMatrix;

/** Adds up a model's matrices by the form that they have in memory. */
final class WeightForms {

    private final Map<String, Long> bytes = new TreeMap<>();

    private WeightForms() {}

    static Map<String, Long> bytes(
            List<Block> blocks, FloatMatrix embedding, Linear head, @Nullable ScreenMatrix screen) {
        WeightForms forms = new WeightForms();
        forms.add(embedding);
        boolean tied = head instanceof FloatLinear floats && floats.weights().equals(embedding);
        if (!tied) {
            forms.add(head);
        }
        if (screen != null) {
            forms.add("screen_i8", screen.codes().byteSize());
        }
        for (Block block : blocks) {
            block.mixer().linears().forEach(forms::add);
            block.channel().linears().forEach(forms::add);
            if (block.channel() instanceof Peer peer) {
                forms.add(name(ElementType.F32), peer.keys().weightBytes());
                forms.add(peer.experts());
            }
        }
        return forms.bytes;
    }

    private void add(Linear linear) {
        switch (linear) {
            case BitLinear bits -> {
                add(bits.weights());
                if (bits.columns() != null) {
                    add("ternary_columns", bits.columns().words().byteSize());
                }
            }
            case BlockScaledLinear blocks -> {
                blocks.runs().forEach(this::add);
                add(name(ElementType.F32), (long) blocks.scales().length * Float.BYTES);
            }
            case FloatLinear floats -> add(floats.weights());
        }
    }

    private void add(Experts experts) {
        switch (experts) {
            case TernaryExperts ternary -> add("ternary_rows", experts.count() * experts.weightBytes());
            case FloatExperts floats -> {
                add(floats.down());
                add(floats.up());
            }
        }
    }

    private void add(TernaryMatrix matrix) {
        add(
                switch (matrix) {
                    case CellMatrix cells -> "ternary_cells";
                    case Base3Matrix base3 -> "ternary_base3";
                },
                matrix.byteSize());
    }

    private void add(FloatMatrix matrix) {
        add(name(matrix.elementType()), matrix.segment().byteSize());
    }

    private void add(String form, long more) {
        bytes.merge(form, more, Long::sum);
    }

    private static String name(ElementType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }
}
