package org.setun.tokenizer;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.AdvancedFilter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.TagNode;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What Hugging Face adds to Jinja for chat templates, and filters that Jinjava has otherwise or not at all. */
final class ChatFunctions {

    private ChatFunctions() {}

    static void register(Jinjava jinjava) {
        jinjava.registerFunction(
                new ELFunctionDefinition("", "raise_exception", ChatFunctions.class, "raise", Object.class));
        jinjava.registerFunction(
                new ELFunctionDefinition("", "strftime_now", ChatFunctions.class, "now", String.class));
        jinjava.registerFilter(new ToJson());
        jinjava.registerFilter(new Replace());
        jinjava.registerFilter(new Items());
        jinjava.registerFilter(new Trim());
        jinjava.registerTag(new LoopTag());
        jinjava.registerTag(new GenerationTag());
    }

    /** {@code raise_exception(message)}: the template refuses the conversation, and ends at its next step. */
    static Object raise(@Nullable Object message) {
        Rendering.CURRENT.get().stop(String.valueOf(message));
        return "";
    }

    /** {@code strftime_now(format)}: the local time. */
    static String now(String format) {
        return Strftime.format(format, LocalDateTime.now(ZoneId.systemDefault()));
    }

    /** Python's {@code json.dumps} without escapes for characters beyond ASCII. */
    private record ToJson() implements AdvancedFilter {
        @Override
        public String getName() {
            return "tojson";
        }

        @Override
        public Object filter(
                @Nullable Object value, JinjavaInterpreter interpreter, Object[] arguments, Map<String, Object> named) {
            Object indent = named.getOrDefault("indent", arguments.length > 0 ? arguments[0] : null);
            return new PythonJson(
                            indent instanceof Number width ? width.intValue() : -1,
                            interpreter.getConfig().getMaxStringLength())
                    .write(value);
        }
    }

    /** Replaces plain text, within the length limit. */
    private record Replace() implements AdvancedFilter {
        @Override
        public String getName() {
            return "replace";
        }

        @Override
        public Object filter(
                @Nullable Object value, JinjavaInterpreter interpreter, Object[] arguments, Map<String, Object> named) {
            if (arguments.length < 2) {
                throw new IllegalArgumentException("replace takes two texts");
            }
            return BoundedText.replace(
                    interpreter.getAsString(value), String.valueOf(arguments[0]), String.valueOf(arguments[1]));
        }
    }

    /** The pairs of a map, as lists of two. */
    private record Items() implements AdvancedFilter {
        @Override
        public String getName() {
            return "items";
        }

        @Override
        public Object filter(
                @Nullable Object value, JinjavaInterpreter interpreter, Object[] arguments, Map<String, Object> named) {
            if (!(value instanceof Map<?, ?> map)) {
                return List.of();
            }
            List<Object> pairs = new ArrayList<>();
            map.forEach((key, entry) -> pairs.add(List.of(key, entry)));
            return pairs;
        }
    }

    /** Python's {@code strip()}: Jinjava's trims ASCII only. */
    private record Trim() implements AdvancedFilter {
        @Override
        public String getName() {
            return "trim";
        }

        @Override
        public Object filter(
                @Nullable Object value, JinjavaInterpreter interpreter, Object[] arguments, Map<String, Object> named) {
            return PythonMethods.strip(interpreter.getAsString(value), arguments, true, true);
        }
    }

    /** {@code {% generation %}}, which marks the assistant's words for training, is transparent here. */
    private static final class GenerationTag implements Tag {

        private static final long serialVersionUID = 1;

        @Override
        public String getName() {
            return "generation";
        }

        @Override
        public String interpret(TagNode node, JinjavaInterpreter interpreter) {
            StringBuilder text = new StringBuilder();
            node.getChildren().forEach(child -> text.append(child.render(interpreter)));
            return text.toString();
        }
    }
}
