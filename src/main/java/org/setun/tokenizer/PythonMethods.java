package org.setun.tokenizer;

import com.hubspot.jinjava.el.JinjavaInterpreterResolver;
import com.hubspot.jinjava.util.ForLoop;
import java.beans.FeatureDescriptor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.IntPredicate;
import jinjava.javax.el.CompositeELResolver;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELException;
import jinjava.javax.el.ELResolver;
import org.jspecify.annotations.Nullable;

/**
 * The methods of Python's strings that chat templates call, in place of those of Java's, some of which have the same name
 * and another meaning, and some of which ({@code repeat}) have no bound.
 */
final class PythonMethods extends ELResolver {

    /** These methods, and the engine's own way with lists, maps and the rest. */
    static final ELResolver RESOLVER = compose();

    private static final Set<String> UNKNOWN_OF_LOOPS = Set.of("previtem", "nextitem", "changed");

    private PythonMethods() {}

    private static ELResolver compose() {
        CompositeELResolver resolver = new CompositeELResolver();
        resolver.add(new PythonMethods());
        resolver.add(JinjavaInterpreterResolver.DEFAULT_RESOLVER_READ_ONLY);
        return resolver;
    }

    @Override
    public @Nullable Object invoke(
            ELContext context, Object base, Object method, Class<?>[] types, @Nullable Object[] arguments) {
        Rendering.CURRENT.get().check();
        if (!(base instanceof CharSequence text)) {
            return null;
        }
        context.setPropertyResolved(true);
        return call(text.toString(), String.valueOf(method), arguments);
    }

    private static Object call(String text, String method, @Nullable Object[] arguments) {
        return switch (method) {
            case "strip" -> strip(text, arguments, true, true);
            case "lstrip" -> strip(text, arguments, true, false);
            case "rstrip" -> strip(text, arguments, false, true);
            case "split" -> split(text, arguments);
            case "splitlines" -> text.lines().toList();
            case "startswith" -> text.startsWith(string(method, arguments, 0));
            case "endswith" -> text.endsWith(string(method, arguments, 0));
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "capitalize" -> capitalize(text);
            case "title" -> title(text);
            case "find" -> text.indexOf(string(method, arguments, 0));
            case "count" -> occurrences(text, string(method, arguments, 0));
            case "replace" -> BoundedText.replace(text, string(method, arguments, 0), string(method, arguments, 1));
            case "join" -> join(text, arguments);
            default -> throw new ELException("a string has no method '" + method + "' here");
        };
    }

    private static String string(String method, @Nullable Object[] arguments, int index) {
        if (index >= arguments.length || !(arguments[index] instanceof CharSequence text)) {
            throw new ELException(method + " takes a string as argument " + (index + 1));
        }
        return text.toString();
    }

    static String strip(String text, @Nullable Object[] arguments, boolean left, boolean right) {
        IntPredicate unwanted = arguments.length == 0 || arguments[0] == null
                ? PythonMethods::isSpace
                : character -> string("strip", arguments, 0).indexOf(character) >= 0;
        int[] characters = text.codePoints().toArray();
        int from = 0;
        int to = characters.length;
        while (left && from < to && unwanted.test(characters[from])) {
            from++;
        }
        while (right && from < to && unwanted.test(characters[to - 1])) {
            to--;
        }
        return new String(characters, from, to - from);
    }

    /** Python's idea of white space, which, unlike Java's, has the no-break spaces. */
    static boolean isSpace(int character) {
        return Character.isWhitespace(character) || Character.isSpaceChar(character) || character == 0x85;
    }

    private static List<String> split(String text, @Nullable Object[] arguments) {
        int limit = arguments.length > 1 && arguments[1] instanceof Number number ? number.intValue() : -1;
        List<String> parts = new ArrayList<>();
        if (arguments.length == 0 || arguments[0] == null) {
            Arrays.stream(text.split("[\\s\\h\\x1c-\\x1f\\x85\\u2028\\u2029]+", -1))
                    .filter(part -> !part.isEmpty())
                    .forEach(parts::add);
            return parts;
        }
        String separator = string("split", arguments, 0);
        if (separator.isEmpty()) {
            throw new ELException("split takes a separator that is not empty");
        }
        int from = 0;
        for (int at = text.indexOf(separator); at >= 0 && limit-- != 0; at = text.indexOf(separator, from)) {
            parts.add(text.substring(from, at));
            from = at + separator.length();
        }
        parts.add(text.substring(from));
        return parts;
    }

    private static int occurrences(String text, String part) {
        int count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + Math.max(1, part.length()))) {
            count++;
        }
        return count;
    }

    private static String join(String separator, @Nullable Object[] arguments) {
        if (arguments.length != 1 || !(arguments[0] instanceof Iterable<?> parts)) {
            throw new ELException("join takes a list");
        }
        return BoundedText.join(separator, parts);
    }

    private static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return text.substring(0, first).toUpperCase(Locale.ROOT)
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    private static String title(String text) {
        StringBuilder result = new StringBuilder(text.length());
        boolean inWord = false;
        for (int character : text.codePoints().toArray()) {
            result.appendCodePoint(inWord ? Character.toLowerCase(character) : Character.toTitleCase(character));
            inWord = Character.isLetter(character);
        }
        return result.toString();
    }

    @Override
    public @Nullable Object getValue(ELContext context, @Nullable Object base, Object property) {
        Rendering.CURRENT.get().check();
        if (base instanceof ForLoop && UNKNOWN_OF_LOOPS.contains(property)) {
            // Jinjava would say undefined and render something else than Jinja.
            throw new ELException("loop." + property + " is not supported");
        }
        return null;
    }

    @Override
    public @Nullable Class<?> getType(ELContext context, @Nullable Object base, Object property) {
        return null;
    }

    @Override
    public void setValue(ELContext context, @Nullable Object base, Object property, @Nullable Object value) {}

    @Override
    public boolean isReadOnly(ELContext context, @Nullable Object base, Object property) {
        return true;
    }

    @Override
    public @Nullable Iterator<FeatureDescriptor> getFeatureDescriptors(ELContext context, @Nullable Object base) {
        return null;
    }

    @Override
    public @Nullable Class<?> getCommonPropertyType(ELContext context, @Nullable Object base) {
        return null;
    }
}
