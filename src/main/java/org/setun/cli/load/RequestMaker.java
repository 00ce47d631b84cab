package org.setun.cli.load;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Makes the bodies of requests. The body of a number is the same in every run with the same seed, whatever else is made.
 *
 * <p>Where the vocabulary's size is known, prompts for completions are arrays of random token ids, and so exactly as long as the plan
 * says. Elsewhere they are random words, most of which are one token for most tokenizers; the report counts what the server
 * counted.
 */
final class RequestMaker {

    /** Apart, so that the streams of requests, of beginnings and of arrivals have nothing in common. */
    private static final long REQUEST_STEP = 0xd1342543de82ef95L;

    private static final long PREFIX_STEP = 0xaef17502108ef2d9L;

    private static final String[] WORDS =
            ("time year people way day man thing woman life child world school state family student group country problem hand"
                            + " part place case week company system program question work government number night point"
                            + " home water room mother area money story fact month lot right study book eye job word"
                            + " business issue side kind head house service friend father power hour game line end member"
                            + " law car city name team minute idea body back parent face level office door health person"
                            + " art war history party result change morning reason research girl guy moment air teacher")
                    .split(" ");

    private static final JsonMapper JSON = new JsonMapper();

    private final Endpoint endpoint;
    private final String model;
    private final OptionalInt vocabSize;
    private final Workload workload;
    private final long seed;

    RequestMaker(LoadPlan plan, ServedModel served) {
        this.endpoint = plan.endpoint();
        this.model = served.name();
        this.vocabSize = served.vocabSize();
        this.workload = plan.workload();
        this.seed = plan.seed();
    }

    /** Returns whether prompts are token ids. */
    static boolean sendsTokenIds(LoadPlan plan, ServedModel served) {
        return plan.endpoint() == Endpoint.COMPLETIONS && served.vocabSize().isPresent();
    }

    /** Returns the JSON of request {@code index}. */
    String body(int index) {
        SplittableRandom random = new SplittableRandom(seed + REQUEST_STEP * (index + 1L));
        int promptTokens = workload.promptTokens().next(random);
        int outputTokens = workload.outputTokens().next(random);
        int group = random.nextInt(workload.prefixGroups());
        SplittableRandom prefix = new SplittableRandom(seed + PREFIX_STEP * (group + 1L));
        Map<String, Object> body = new LinkedHashMap<>();
        if (!model.isEmpty()) {
            body.put("model", model);
        }
        switch (endpoint) {
            case COMPLETIONS -> body.put("prompt", prompt(prefix, random, promptTokens));
            case CHAT ->
                body.put(
                        "messages",
                        new Object[] {Map.of("role", "user", "content", words(prefix, random, promptTokens))});
        }
        body.put("max_tokens", outputTokens);
        body.put("stream", true);
        body.put("stream_options", Map.of("include_usage", true));
        if (workload.ignoreEos()) {
            body.put("ignore_eos", true);
        }
        workload.temperature().ifPresent(temperature -> body.put("temperature", temperature));
        return JSON.writeValueAsString(body);
    }

    private Object prompt(RandomGenerator prefix, RandomGenerator own, int promptTokens) {
        if (vocabSize.isEmpty()) {
            return words(prefix, own, promptTokens);
        }
        int vocab = vocabSize.getAsInt();
        return IntStream.concat(prefix.ints(workload.sharedPrefix(), 0, vocab), own.ints(promptTokens, 0, vocab))
                .toArray();
    }

    private String words(RandomGenerator prefix, RandomGenerator own, int promptTokens) {
        return IntStream.concat(
                        prefix.ints(workload.sharedPrefix(), 0, WORDS.length), own.ints(promptTokens, 0, WORDS.length))
                .mapToObj(index -> WORDS[index])
                .collect(Collectors.joining(" "));
    }
}
