package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.json.JsonMapper;

/**
 * A Dockerfile as its builder reads it, as far as ours goes: whatever it has that is not understood here is an error.
 *
 * @param arguments the {@code ARG}s before the first stage
 * @param stages in their order
 */
record Dockerfile(Map<String, String> arguments, List<Stage> stages) {

    private static final Set<String> KEYWORDS = Set.of(
            "ARG",
            "CMD",
            "COPY",
            "ENTRYPOINT",
            "ENV",
            "EXPOSE",
            "FROM",
            "HEALTHCHECK",
            "LABEL",
            "RUN",
            "STOPSIGNAL",
            "USER",
            "VOLUME",
            "WORKDIR");
    private static final Pattern LINE = Pattern.compile("([A-Z]+)\\s+(.*)", Pattern.DOTALL);
    private static final Pattern FLAG = Pattern.compile("--([a-z-]+)=(\\S+)\\s+");
    private static final Pattern FROM = Pattern.compile("(\\S+)(?:\\s+AS\\s+([a-z]+))?");
    private static final Pattern PAIR = Pattern.compile("([\\w.]+)=(?:\"([^\"]*)\"|(\\S+))\\s*");
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{(\\w+)}|\\$(\\w+)");

    /**
     * What one {@code FROM} begins.
     *
     * @param name what the others call it, empty if nothing
     * @param image with variables replaced
     * @param instructions those after {@code FROM}
     */
    record Stage(String name, String image, List<Instruction> instructions) {

        /** Returns the only instruction with a keyword. */
        Instruction only(String keyword) {
            List<Instruction> found = all(keyword);
            assertThat(found).as("%s of stage '%s'", keyword, name).hasSize(1);
            return found.getFirst();
        }

        List<Instruction> all(String keyword) {
            return instructions.stream()
                    .filter(instruction -> instruction.keyword().equals(keyword))
                    .toList();
        }
    }

    /**
     * One instruction.
     *
     * @param flags its {@code --name=value}, in their order
     * @param text the rest, lines joined
     */
    record Instruction(String keyword, List<Map.Entry<String, String>> flags, String text) {

        Optional<String> flag(String name) {
            return flags.stream()
                    .filter(flag -> flag.getKey().equals(name))
                    .map(Map.Entry::getValue)
                    .findFirst();
        }

        /** Returns the words of an instruction in exec form, {@code ["a", "b"]}; one in shell form is an error. */
        List<String> exec() {
            return words(text);
        }

        /** Returns the words of a health check's command, which must be in exec form. */
        List<String> healthCommand() {
            assertThat(text).startsWith("CMD ");
            return words(text.substring("CMD ".length()));
        }

        private static List<String> words(String json) {
            assertThat(json).as("the exec form").startsWith("[");
            return List.of(JsonMapper.shared().readValue(json, String[].class));
        }

        /** Returns the {@code name=value} pairs of an {@code ENV} or a {@code LABEL}. */
        Map<String, String> pairs() {
            Map<String, String> pairs = new LinkedHashMap<>();
            Matcher pair = PAIR.matcher(text);
            int end = 0;
            while (pair.find() && pair.start() == end) {
                pairs.put(pair.group(1), pair.group(2) == null ? pair.group(3) : pair.group(2));
                end = pair.end();
            }
            assertThat(end).as("%s %s: read to its end", keyword, text).isEqualTo(text.length());
            return pairs;
        }
    }

    static Dockerfile read(Path file) throws IOException {
        Map<String, String> arguments = new LinkedHashMap<>();
        List<Stage> stages = new ArrayList<>();
        for (Instruction instruction : instructions(Files.readAllLines(file))) {
            if (instruction.keyword().equals("FROM")) {
                Matcher from = FROM.matcher(instruction.text());
                assertThat(from.matches()).as("FROM %s", instruction.text()).isTrue();
                String name = from.group(2) == null ? "" : from.group(2);
                stages.add(new Stage(name, expand(from.group(1), arguments), new ArrayList<>()));
            } else if (stages.isEmpty()) {
                assertThat(instruction.keyword()).isEqualTo("ARG");
                arguments.putAll(instruction.pairs());
            } else {
                stages.getLast().instructions().add(instruction);
            }
        }
        return new Dockerfile(arguments, stages);
    }

    private static List<Instruction> instructions(List<String> lines) {
        List<Instruction> instructions = new ArrayList<>();
        StringBuilder joined = new StringBuilder();
        for (String line : lines) {
            if (line.isBlank() || line.stripLeading().startsWith("#")) {
                continue;
            }
            boolean goesOn = line.endsWith("\\");
            joined.append(goesOn ? line.substring(0, line.length() - 1) : line);
            if (!goesOn) {
                instructions.add(instruction(joined.toString()));
                joined.setLength(0);
            }
        }
        assertThat(joined.toString()).as("after the last line").isEmpty();
        return instructions;
    }

    private static Instruction instruction(String line) {
        Matcher matcher = LINE.matcher(line);
        assertThat(matcher.matches()).as("an instruction: %s", line).isTrue();
        assertThat(KEYWORDS).contains(matcher.group(1));
        String rest = matcher.group(2);
        List<Map.Entry<String, String>> flags = new ArrayList<>();
        Matcher flag = FLAG.matcher(rest);
        while (flag.lookingAt()) {
            flags.add(Map.entry(flag.group(1), flag.group(2)));
            rest = rest.substring(flag.end());
            flag = FLAG.matcher(rest);
        }
        return new Instruction(matcher.group(1), flags, rest.strip());
    }

    /** Replaces {@code $NAME} and <code>${NAME}</code>; one that has no value is an error. */
    static String expand(String text, Map<String, String> values) {
        UnaryOperator<String> value = name -> {
            assertThat(values).as("variables for %s", text).containsKey(name);
            return values.get(name);
        };
        return VARIABLE.matcher(text)
                .replaceAll(found -> Matcher.quoteReplacement(
                        value.apply(found.group(1) == null ? found.group(2) : found.group(1))));
    }
}
