package org.setun.tokenizer;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.JinjavaNodePreProcessor;
import com.hubspot.jinjava.el.JinjavaProcessors;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.Context.Library;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.interpret.TemplateError.ErrorType;
import com.hubspot.jinjava.lib.Importable;
import com.hubspot.jinjava.loader.ResourceNotFoundException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A chat template in Jinja, set up as Hugging Face's {@code apply_chat_template} sets it up. The template comes with a
 * model and the messages come from clients, so neither is trusted: templates reach nothing but the values given, messages
 * are never read as Jinja, and time, memory, depth and output are bounded. Thread-safe.
 */
final class ChatTemplate {

    /**
     * How much one rendering may take.
     *
     * @param time how long it may run
     * @param outputSize the longest output and the longest string on the way there, in bytes, beyond four times the input
     * @param allocation how much memory it may allocate, in bytes, beyond a thousand times the input
     */
    record Limits(Duration time, long outputSize, long allocation) {
        static final Limits DEFAULT = new Limits(Duration.ofSeconds(2), 1L << 20, 1L << 28);
    }

    private static final int MAX_DEPTH = 32;
    private static final int MAX_ELEMENTS = 10_000;

    private static final Set<String> TAGS = Set.of(
            "if",
            "elif",
            "else",
            "endif",
            "for",
            "endfor",
            "set",
            "endset",
            "macro",
            "endmacro",
            "call",
            "endcall",
            "break",
            "continue",
            "do",
            "enddo",
            "raw",
            "endraw",
            "print",
            "generation",
            "endgeneration");
    /** The filters that templates may use. */
    static final Set<String> FILTERS = Set.of(
            "abs",
            "bool",
            "capitalize",
            "count",
            "d",
            "default",
            "dictsort",
            "e",
            "escape",
            "first",
            "float",
            "int",
            "join",
            "last",
            "length",
            "list",
            "lower",
            "map",
            "reject",
            "rejectattr",
            "replace",
            "reverse",
            "round",
            "safe",
            "select",
            "selectattr",
            "sort",
            "string",
            "sum",
            "title",
            "tojson",
            "trim",
            "unique",
            "upper",
            "items");

    /** The tests, as in {@code x is defined}, that templates may use. */
    static final Set<String> TESTS = Set.of(
            "boolean",
            "defined",
            "divisibleby",
            "eq",
            "equalto",
            "even",
            "false",
            "float",
            "ge",
            "gt",
            "in",
            "integer",
            "iterable",
            "le",
            "lower",
            "lt",
            "mapping",
            "ne",
            "none",
            "number",
            "odd",
            "sameas",
            "sequence",
            "string",
            "true",
            "undefined",
            "upper");

    private static final Set<String> FUNCTIONS = Set.of(":namespace", ":range", ":raise_exception", ":strftime_now");

    private static final Jinjava JINJAVA = newJinjava();
    private static final Map<Library, Set<String>> DISABLED = disabled();

    private final String source;
    private final Map<String, String> specialTokens;
    private final Limits limits;

    ChatTemplate(String source, Map<String, String> specialTokens) {
        this(source, specialTokens, Limits.DEFAULT);
    }

    ChatTemplate(String source, Map<String, String> specialTokens, Limits limits) {
        this.source = source;
        this.specialTokens = specialTokens;
        this.limits = limits;
    }

    /**
     * Renders a conversation.
     *
     * @param addGenerationPrompt whether the cue for the assistant's turn is to follow
     * @throws ChatTemplateException if the template is not valid, refuses the messages or exceeds a limit
     */
    String render(List<ChatMessage> messages, boolean addGenerationPrompt) throws ChatTemplateException {
        List<Map<String, String>> turns = new ArrayList<>();
        long input = source.length();
        for (ChatMessage message : messages) {
            Map<String, String> turn = new LinkedHashMap<>();
            turn.put("role", message.role());
            turn.put("content", message.content());
            turns.add(turn);
            input += message.role().length() + message.content().length();
        }
        Map<String, Object> bindings = new HashMap<>(specialTokens);
        bindings.put("messages", turns);
        bindings.put("add_generation_prompt", addGenerationPrompt);
        long outputSize = limits.outputSize() + 4 * input;
        String template = JinjaSource.forJinjava(source);
        Rendering rendering = new Rendering(limits.time(), limits.allocation() + 1000 * input);
        try {
            RenderResult result = ScopedValue.where(Rendering.CURRENT, rendering)
                    .call(() -> JINJAVA.renderForResult(template, bindings, config(outputSize, DISABLED)));
            rendering.check();
            throwFirstError(result.getErrors());
            return result.getOutput();
        } catch (Rendering.Stopped e) {
            throw new ChatTemplateException(e.reason(), e);
        } catch (StackOverflowError e) {
            throw new ChatTemplateException("the chat template is nested too deeply", e);
        }
    }

    private static void throwFirstError(List<TemplateError> errors) throws ChatTemplateException {
        for (TemplateError error : errors) {
            if (error.getSeverity() == ErrorType.FATAL) {
                throw new ChatTemplateException(
                        "the model's chat template failed in line " + error.getLineno() + ": " + error.getMessage(),
                        error.getException());
            }
        }
    }

    private static Jinjava newJinjava() {
        Jinjava jinjava = new Jinjava(config(0, Map.of()));
        jinjava.setResourceLocator((name, encoding, interpreter) -> {
            throw new ResourceNotFoundException("a chat template cannot read '" + name + "'");
        });
        ChatFunctions.register(jinjava);
        return jinjava;
    }

    /** Everything that reads files, runs text as Jinja again or can grow without bound is out of reach. */
    private static Map<Library, Set<String>> disabled() {
        Map<Library, Set<String>> disabled = new EnumMap<>(Library.class);
        Context global = JINJAVA.getGlobalContext();
        disabled.put(Library.TAG, namesBut(TAGS, global.getAllTags()));
        disabled.put(Library.FILTER, namesBut(FILTERS, global.getAllFilters()));
        disabled.put(Library.FUNCTION, namesBut(FUNCTIONS, global.getAllFunctions()));
        return disabled;
    }

    private static Set<String> namesBut(Set<String> allowed, Collection<? extends Importable> all) {
        return all.stream()
                .map(Importable::getName)
                .filter(name -> !allowed.contains(name))
                .collect(Collectors.toUnmodifiableSet());
    }

    private static JinjavaConfig config(long outputSize, Map<Library, Set<String>> disabled) {
        return JinjavaConfig.newBuilder()
                .withLegacyOverrides(LegacyOverrides.newBuilder()
                        .withEvaluateMapKeys(true)
                        .withIterateOverMapKeys(true)
                        .withUsePyishObjectMapper(true)
                        .withUseNaturalOperatorPrecedence(true)
                        .withAllowAdjacentTextNodes(true)
                        .withKeepNullableLoopValues(true)
                        .build())
                .withNestedInterpretationEnabled(false)
                .withElResolver(PythonMethods.RESOLVER)
                .withProcessors(JinjavaProcessors.newBuilder()
                        .withNodePreProcessor(new JinjavaNodePreProcessor()
                                .andThen((node, interpreter) ->
                                        Rendering.CURRENT.get().check()))
                        .build())
                .withEnableRecursiveMacroCalls(true)
                .withMaxMacroRecursionDepth(MAX_DEPTH)
                .withMaxRenderDepth(MAX_DEPTH)
                .withMaxOutputSize(outputSize)
                .withMaxStringLength(outputSize)
                .withMaxListSize(MAX_ELEMENTS)
                .withMaxMapSize(MAX_ELEMENTS)
                .withRangeLimit(MAX_ELEMENTS)
                .withDisabled(disabled)
                .build();
    }
}
