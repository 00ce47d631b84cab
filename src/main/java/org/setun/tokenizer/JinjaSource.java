package org.setun.tokenizer;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes a template so that Jinjava reads it as Jinja does with {@code trim_blocks} and {@code lstrip_blocks}: white space
 * control is carried out, comments are gone, the values of named arguments stand in parentheses, and {@code xs[::-1]} is
 * a filter. Jinjava's own white space control also strips spaces within a line, and its {@code f(a=1 + 2)} means
 * {@code f(a=1) + 2}.
 */
final class JinjaSource {

    private static final Pattern FILTER_NAME = Pattern.compile("\\|\\s*(\\w+)");
    private static final Pattern TEST_NAME = Pattern.compile(" is\\s+(?:not\\s+)?(\\w+)");
    private static final Pattern END_OF_RAW = Pattern.compile("\\{%[-+]?\\s*endraw\\s*[-+]?%}");

    /** Far more than a template needs; Jinjava's parser takes quadratic time in it. */
    private static final int MAX_BRACKETS = 64;

    /** A slice that Jinjava's parser refuses. */
    private static final String REVERSED = "[::-1]";

    private final String source;
    private final StringBuilder out = new StringBuilder();
    private int position;
    /** Whether the last tag took the line end that followed it. */
    private boolean atLineStart = true;

    private JinjaSource(String source) {
        this.source = source;
    }

    /**
     * Returns the template as Jinjava must see it.
     *
     * @throws ChatTemplateException if it breaks off, is nested too deeply or uses an unknown filter or test
     */
    static String forJinjava(String source) throws ChatTemplateException {
        // Jinja reads every line end as \n and drops the last one.
        String lines = source.replace("\r\n", "\n").replace('\r', '\n');
        JinjaSource reader = new JinjaSource(lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines);
        reader.read();
        return reader.out.toString();
    }

    private void read() throws ChatTemplateException {
        while (true) {
            int start = nextTag();
            int end = start < 0 ? -1 : endOfTag(start);
            if (start < 0) {
                out.append(source, position, source.length());
                return;
            }
            if (end < 0) {
                throw new ChatTemplateException("the chat template has a tag that does not end: "
                        + source.substring(start, Math.min(source.length(), start + 40)));
            }
            char kind = source.charAt(start + 1);
            appendText(source.substring(position, start), start, kind);
            Body body = body(start, end);
            position = end;
            skipAfter(kind, body.endMarker());
            if (kind == '%' && body.text().equals("raw")) {
                readRaw();
            } else {
                append(kind, body.text());
            }
        }
    }

    private int nextTag() {
        for (int at = source.indexOf('{', position); at >= 0; at = source.indexOf('{', at + 1)) {
            if (at + 1 < source.length() && "{%#".indexOf(source.charAt(at + 1)) >= 0) {
                return at;
            }
        }
        return -1;
    }

    /** Returns where the tag that starts at {@code start} ends, behind its last brace, or -1 if it does not. */
    private int endOfTag(int start) {
        char kind = source.charAt(start + 1);
        if (kind == '#') {
            int end = source.indexOf("#}", start + 2);
            return end < 0 ? -1 : end + 2;
        }
        char close = kind == '{' ? '}' : '%';
        int braces = 0;
        for (int i = start + 2; i + 1 < source.length(); i++) {
            char character = source.charAt(i);
            if (character == '\'' || character == '"') {
                i = endOfString(source, i);
            } else if (braces == 0 && character == close && source.charAt(i + 1) == '}') {
                return i + 2;
            } else if (character == '{') {
                braces++;
            } else if (character == '}') {
                braces--;
            }
        }
        return -1;
    }

    /** Returns the index of the quote that ends the string begun at {@code start}, or the last index. */
    private static int endOfString(String text, int start) {
        char quote = text.charAt(start);
        int i = start + 1;
        while (i < text.length() && text.charAt(i) != quote) {
            i += text.charAt(i) == '\\' ? 2 : 1;
        }
        return Math.min(i, text.length() - 1);
    }

    private record Body(String text, char endMarker) {}

    private Body body(int start, int end) {
        int from = isMarker(source.charAt(start + 2)) ? start + 3 : start + 2;
        int to = end - 2;
        char marker = to > from && isMarker(source.charAt(to - 1)) ? source.charAt(to - 1) : ' ';
        return new Body(source.substring(from, marker == ' ' ? to : to - 1).strip(), marker);
    }

    private static boolean isMarker(char character) {
        return character == '-' || character == '+';
    }

    /** Appends the text before a tag, less the white space that the tag takes. */
    private void appendText(String text, int tag, char kind) {
        char marker = source.charAt(tag + 2);
        if (marker == '-') {
            out.append(text.stripTrailing());
            return;
        }
        int line = text.lastIndexOf('\n') + 1;
        boolean indents = kind != '{'
                && marker != '+'
                && (line > 0 || atLineStart)
                && text.substring(line).isBlank();
        out.append(text, 0, indents ? line : text.length());
    }

    /** Skips the white space after a tag that the tag takes. */
    private void skipAfter(char kind, char endMarker) {
        int end = position;
        if (endMarker == '-') {
            while (position < source.length() && PythonMethods.isSpace(source.charAt(position))) {
                position++;
            }
        } else if (kind != '{' && endMarker != '+' && source.startsWith("\n", position)) {
            position++;
        }
        atLineStart = position > end && source.charAt(position - 1) == '\n';
    }

    private void readRaw() throws ChatTemplateException {
        Matcher end = END_OF_RAW.matcher(source);
        if (!end.find(position)) {
            append('%', "raw");
            return;
        }
        append('%', "raw");
        appendText(source.substring(position, end.start()), end.start(), '%');
        position = end.end();
        skipAfter('%', source.charAt(end.end() - 3));
        append('%', "endraw");
    }

    private void append(char kind, String body) throws ChatTemplateException {
        switch (kind) {
            case '{' -> out.append("{{ ").append(rewritten(body)).append(" }}");
            case '%' -> {
                // The arguments of a macro's definition are defaults, which must stay literals.
                boolean definition = body.startsWith("macro") || body.startsWith("call");
                out.append("{% ").append(definition ? body : rewritten(body)).append(" %}");
            }
            default -> {
                // A comment.
            }
        }
    }

    /** Puts parentheses around the value of each {@code name=value} within parentheses, and rewrites reversed slices. */
    private static String rewritten(String body) throws ChatTemplateException {
        StringBuilder result = new StringBuilder(body.length() + 16);
        // One entry an open bracket: whether a value that began within it is still open.
        Deque<Boolean> open = new ArrayDeque<>();
        for (int i = 0; i < body.length(); i++) {
            char character = body.charAt(i);
            switch (character) {
                case '\'', '"' -> {
                    int end = endOfString(body, i);
                    result.append(body, i, end);
                    i = end;
                    character = body.charAt(end);
                }
                case '[' -> {
                    if (body.startsWith(REVERSED, i)) {
                        result.append(" | reverse | list");
                        i += REVERSED.length() - 1;
                        continue;
                    }
                    open.push(false);
                }
                case '(', '{' -> open.push(false);
                case ')', ']', '}', ',' -> {
                    boolean inValue = !open.isEmpty() && open.pop();
                    result.append(inValue ? ")" : "");
                    if (character == ',') {
                        open.push(false);
                    }
                }
                case '|' -> requireKnown("filter", FILTER_NAME, ChatTemplate.FILTERS, body, i);
                case ' ' -> requireKnown("test", TEST_NAME, ChatTemplate.TESTS, body, i);
                case '=' -> {
                    if (!open.isEmpty() && !open.peek() && isAssignment(body, i)) {
                        open.pop();
                        open.push(true);
                        result.append("=(");
                        continue;
                    }
                }
                default -> {
                    // Everything else stays.
                }
            }
            if (open.size() > MAX_BRACKETS) {
                throw new ChatTemplateException("the chat template is nested too deeply");
            }
            result.append(character);
        }
        return result.toString();
    }

    /** Refuses what Jinjava would pass over in silence. */
    private static void requireKnown(String kind, Pattern use, Set<String> known, String body, int at)
            throws ChatTemplateException {
        Matcher name = use.matcher(body).region(at, body.length());
        if (name.lookingAt() && !known.contains(name.group(1))) {
            throw new ChatTemplateException("the chat template uses the " + kind + " '" + name.group(1)
                    + "', which is none of " + new TreeSet<>(known));
        }
    }

    private static boolean isAssignment(String body, int at) {
        boolean comparesAfter = at + 1 < body.length() && body.charAt(at + 1) == '=';
        return !comparesAfter && at > 0 && "=!<>".indexOf(body.charAt(at - 1)) < 0;
    }
}
