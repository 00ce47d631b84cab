package org.setun.tokenizer;

import com.hubspot.jinjava.util.LengthLimitingStringBuilder;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes JSON with Python's spacing, which templates put into prompts and models have learned. */
final class PythonJson {

    private final int indent;
    private final LengthLimitingStringBuilder out;

    /**
     * Creates a writer for one value.
     *
     * @param indent spaces a level, negative for one line
     * @param maxLength the longest output
     */
    PythonJson(int indent, long maxLength) {
        this.indent = Math.min(indent, 16);
        this.out = new LengthLimitingStringBuilder(maxLength);
    }

    /** Returns the value as JSON. */
    String write(@Nullable Object value) {
        write(value, 1);
        return out.toString();
    }

    private void write(@Nullable Object value, int level) {
        switch (value) {
            case null -> out.append("null");
            case Map<?, ?> map -> writeMap(map, level);
            case Iterable<?> list -> writeList(list, level);
            case Number number -> out.append(number);
            case Boolean truth -> out.append(truth);
            default -> writeString(value.toString());
        }
    }

    private void writeMap(Map<?, ?> map, int level) {
        out.append("{");
        boolean first = true;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            separate(first, level);
            first = false;
            writeString(String.valueOf(entry.getKey()));
            out.append(": ");
            write(entry.getValue(), level + 1);
        }
        end(first, level);
        out.append("}");
    }

    private void writeList(Iterable<?> list, int level) {
        out.append("[");
        boolean first = true;
        for (Object element : list) {
            separate(first, level);
            first = false;
            write(element, level + 1);
        }
        end(first, level);
        out.append("]");
    }

    private void separate(boolean first, int level) {
        if (indent < 0) {
            out.append(first ? "" : ", ");
        } else {
            out.append(first ? "\n" : ",\n");
            out.append(" ".repeat(indent * level));
        }
    }

    private void end(boolean empty, int level) {
        if (indent >= 0 && !empty) {
            out.append("\n");
            out.append(" ".repeat(indent * (level - 1)));
        }
    }

    private void writeString(String text) {
        StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char character = text.charAt(i);
            switch (character) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                case '\b' -> quoted.append("\\b");
                case '\f' -> quoted.append("\\f");
                default -> quoted.append(character < ' ' ? "\\u%04x".formatted((int) character) : character);
            }
        }
        out.append(quoted.append('"'));
    }
}
