package org.setun.tokenizer;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.util.LengthLimitingStringBuilder;

/** Operations on text that can multiply it, held to the length that the running template may use. */
final class BoundedText {

    private BoundedText() {}

    private static LengthLimitingStringBuilder builder() {
        return new LengthLimitingStringBuilder(
                JinjavaInterpreter.getCurrent().getConfig().getMaxStringLength());
    }

    /** Replaces every occurrence; an empty {@code part} occurs around each character, as in Python. */
    static String replace(String text, String part, String replacement) {
        LengthLimitingStringBuilder result = builder();
        int from = 0;
        int step = Math.max(1, part.length());
        for (int at = text.indexOf(part); at >= 0; at = at < text.length() ? text.indexOf(part, at + step) : -1) {
            result.append(text.substring(from, at));
            result.append(replacement);
            from = at + part.length();
            if (at == text.length()) {
                break;
            }
        }
        result.append(text.substring(from));
        return result.toString();
    }

    /** Joins the parts, written as the template engine writes them. */
    static String join(String separator, Iterable<?> parts) {
        LengthLimitingStringBuilder result = builder();
        JinjavaInterpreter interpreter = JinjavaInterpreter.getCurrent();
        String before = "";
        for (Object part : parts) {
            result.append(before);
            result.append(interpreter.getAsString(part));
            before = separator;
        }
        return result.toString();
    }
}
