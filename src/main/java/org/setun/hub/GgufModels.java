package org.setun.hub;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The models in GGUF that a repository offers, each with all its parts, and the choice of one of them. */
final class GgufModels {

    static final String EXTENSION = ".gguf";

    private static final int MOST_LISTED = 20;

    // Files in the same format that are no language model by themselves, as llama.cpp leaves them out.
    private static final Pattern COMPANION = Pattern.compile("mmproj|imatrix|mtp-|eagle3-|dflash-");

    // The last part of a stem, as llama.cpp reads a quantisation from it.
    private static final Pattern QUANTISATION = Pattern.compile(".*[-./]([A-Za-z0-9]+(?:_[A-Za-z0-9]+)+|[BbFf]+\\d+)");

    private final String repository;
    private final List<Model> models;

    /** A model: the name without number and extension, and its files by number. */
    private record Model(String stem, int count, List<RemoteFile> parts) {}

    private GgufModels(String repository, List<Model> models) {
        this.repository = repository;
        this.models = models;
    }

    /** Finds the models in {@code files}. */
    static GgufModels of(String repository, List<RemoteFile> files) {
        TreeMap<String, Model> models = new TreeMap<>();
        for (RemoteFile file : files) {
            Optional<WeightsFile> name = WeightsFile.of(file.path(), EXTENSION);
            boolean model = name.isPresent()
                    && !COMPANION
                            .matcher(file.path().substring(file.path().lastIndexOf('/') + 1))
                            .find();
            if (model) {
                WeightsFile weights = name.get();
                models.computeIfAbsent(
                                weights.stem() + " " + weights.count(),
                                key -> new Model(weights.stem(), weights.count(), new ArrayList<>()))
                        .parts()
                        .add(file);
            }
        }
        models.values().forEach(model -> model.parts().sort(Comparator.comparing(RemoteFile::path)));
        return new GgufModels(repository, List.copyOf(models.values()));
    }

    boolean isEmpty() {
        return models.isEmpty();
    }

    /** Tells whether there is no choice to make. */
    boolean isSingle() {
        return models.size() == 1
                && models.getFirst().parts().size() == models.getFirst().count();
    }

    /** Returns the files of the only model. */
    List<RemoteFile> only() throws HubException {
        return one(models, "one model in GGUF");
    }

    /**
     * Returns the files of the model whose name holds {@code quantisation}, in capitals or not, between signs that are not
     * part of such a name: so {@code Q2_0} is not found in {@code TQ2_0}.
     */
    List<RemoteFile> quantised(String quantisation) throws HubException {
        Pattern pattern = Pattern.compile(
                "(?:^|[^A-Za-z0-9_])" + Pattern.quote(quantisation) + "(?:[./-]|$)", Pattern.CASE_INSENSITIVE);
        List<Model> matching = models.stream()
                .filter(model -> pattern.matcher(model.stem()).find())
                .toList();
        return one(matching, "one GGUF model with " + quantisation + " in its name");
    }

    private List<RemoteFile> one(List<Model> matching, String expected) throws HubException {
        if (matching.size() != 1) {
            List<Model> listed = matching.isEmpty() ? models : matching;
            throw HubException.mismatch(
                    repository,
                    expected,
                    matching.isEmpty() ? "none" : String.valueOf(matching.size()),
                    listed.isEmpty() ? "it has no GGUF files at all" : "choose one: " + choices(listed));
        }
        Model model = matching.getFirst();
        if (model.parts().size() != model.count()) {
            throw HubException.mismatch(
                    repository + ": " + HubException.printable(model.stem()),
                    model.count() + " parts",
                    model.parts().size(),
                    "the repository is incomplete, tell its owner");
        }
        return model.parts();
    }

    /** Returns the arguments that choose each of {@code models}. */
    private String choices(List<Model> models) {
        List<Optional<String>> quantisations = models.stream()
                .map(model -> Optional.of(QUANTISATION.matcher("/" + model.stem()))
                        .filter(Matcher::matches)
                        .map(matcher -> matcher.group(1).toUpperCase(Locale.ROOT)))
                .toList();
        boolean telling = quantisations.stream().allMatch(Optional::isPresent)
                && quantisations.stream().distinct().count() == models.size();
        List<String> choices = new ArrayList<>();
        for (int i = 0; i < Math.min(models.size(), MOST_LISTED); i++) {
            choices.add(
                    telling
                            ? repository + ":" + quantisations.get(i).orElseThrow()
                            : "--file "
                                    + HubException.printable(
                                            models.get(i).parts().getFirst().path()));
        }
        return choices.stream().collect(Collectors.joining(", ")) + (models.size() > MOST_LISTED ? ", …" : "");
    }
}
