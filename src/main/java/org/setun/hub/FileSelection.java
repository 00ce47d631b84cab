package org.setun.hub;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of a repository that will be fetched: by default one set of weights that Setun loads, and what belongs to it.
 *
 * @param files what to fetch: the small files first
 * @param weights those of them that are the weights, the one to open first; empty where the wishes name none
 */
record FileSelection(List<RemoteFile> files, List<RemoteFile> weights) {

    /** The configuration, without which a loader opens nothing but GGUF. */
    static final String CONFIG = "config.json";

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    /** The extension of weights in the format of that name. */
    static final String SAFETENSORS = ".safetensors";

    private static final Set<String> COMPANIONS = Set.of(
            CONFIG,
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "tokenizer.model",
            "special_tokens_map.json",
            "added_tokens.json",
            "vocab.json",
            "merges.txt",
            "chat_template.jinja");

    // A licence has to travel with what it is for.
    private static final Pattern NOTICES = Pattern.compile("(?i)(readme|license|licence|notice)(\\.(md|txt))?");
    private static final long LONGEST_NOTICE = 1 << 20;
    private static final Pattern PICKLES = Pattern.compile(".*\\.(bin|pt|pth|ckpt|pkl)");
    private static final int MOST_LISTED = 5;

    FileSelection {
        files = List.copyOf(files);
        weights = List.copyOf(weights);
    }

    /**
     * Selects from a listing.
     *
     * @throws HubException if the repository holds nothing that fits, or several models where one must be chosen
     */
    static FileSelection of(ModelReference model, FileWishes wishes, ModelListing listing) throws HubException {
        List<Glob> excludes = wishes.excludes().stream().map(Glob::of).toList();
        List<RemoteFile> offered = listing.files().stream()
                .filter(file -> !Glob.anyMatches(excludes, file.path()))
                .toList();
        if (!wishes.includes().isEmpty()) {
            return included(model, wishes.includes(), offered);
        }
        List<RemoteFile> weights = weights(model, wishes.weights(), offered);
        List<RemoteFile> companions = offered.stream()
                .filter(file -> file.isTopLevel() && isCompanion(file) && !weights.contains(file))
                .toList();
        return selection(companions, weights);
    }

    private static FileSelection included(ModelReference model, List<String> includes, List<RemoteFile> offered)
            throws HubException {
        List<Glob> globs = includes.stream().map(Glob::of).toList();
        List<RemoteFile> files = offered.stream()
                .filter(file -> Glob.anyMatches(globs, file.path()))
                .toList();
        if (files.isEmpty()) {
            throw HubException.mismatch(
                    model.repository(),
                    "files that match " + String.join(", ", includes),
                    "none of its " + offered.size() + " files",
                    "correct --include or --exclude");
        }
        List<RemoteFile> weights = safetensors(files);
        if (weights.isEmpty()) {
            GgufModels ggufs = GgufModels.of(model.repository(), files);
            weights = ggufs.isSingle() ? ggufs.only() : List.of();
        }
        List<RemoteFile> chosen = weights;
        return selection(files.stream().filter(file -> !chosen.contains(file)).toList(), weights);
    }

    private static FileSelection selection(List<RemoteFile> others, List<RemoteFile> weights) {
        List<RemoteFile> files = new ArrayList<>(others);
        files.sort(Comparator.comparing(RemoteFile::path));
        files.addAll(weights);
        return new FileSelection(files, weights);
    }

    private static List<RemoteFile> weights(ModelReference model, Optional<String> named, List<RemoteFile> offered)
            throws HubException {
        GgufModels ggufs = GgufModels.of(model.repository(), offered);
        if (named.isPresent()) {
            return named(model, named.get(), offered);
        }
        if (model.quantisation().isPresent()) {
            return ggufs.quantised(model.quantisation().get());
        }
        List<RemoteFile> safetensors = safetensors(offered);
        if (!safetensors.isEmpty()) {
            requireComplete(model, safetensors);
            return safetensors;
        }
        if (!ggufs.isEmpty()) {
            return ggufs.only();
        }
        throw nothingToLoad(model, offered);
    }

    /** Returns the file called {@code name}, with the other parts if it is one of several. */
    private static List<RemoteFile> named(ModelReference model, String name, List<RemoteFile> offered)
            throws HubException {
        RemoteFile file = offered.stream()
                .filter(candidate -> candidate.path().equals(name))
                .findFirst()
                .orElseThrow(() -> HubException.mismatch(
                        model.repository(),
                        "a file " + HubException.printable(name),
                        "none of that name",
                        "correct --file"));
        int dot = name.lastIndexOf('.');
        if (dot < 0) {
            return List.of(file);
        }
        String extension = name.substring(dot);
        Optional<WeightsFile> part = WeightsFile.of(name, extension);
        return offered.stream()
                .filter(candidate -> candidate.equals(file)
                        || WeightsFile.of(candidate.path(), extension)
                                .flatMap(other -> part.map(other::sameModel))
                                .orElse(false))
                .sorted(Comparator.comparing(RemoteFile::path))
                .toList();
    }

    /** Returns the single file if there is one, else the index and the parts, else nothing. */
    private static List<RemoteFile> safetensors(List<RemoteFile> offered) {
        Optional<RemoteFile> single = find(offered, SINGLE);
        if (single.isPresent()) {
            return List.of(single.get());
        }
        Optional<RemoteFile> index = find(offered, INDEX);
        List<RemoteFile> parts = offered.stream()
                .filter(file -> file.isTopLevel() && isPart(file))
                .sorted(Comparator.comparing(RemoteFile::path))
                .toList();
        // Variants of the same weights lie beside them under other stems.
        List<RemoteFile> usual =
                parts.stream().filter(file -> file.path().startsWith("model-")).toList();
        return index.isEmpty() || parts.isEmpty()
                ? List.of()
                : Stream.concat(index.stream(), (usual.isEmpty() ? parts : usual).stream())
                        .toList();
    }

    private static boolean isPart(RemoteFile file) {
        return WeightsFile.of(file.path(), SAFETENSORS)
                .filter(weights -> !file.path().equals(weights.stem() + weights.extension()))
                .isPresent();
    }

    private static void requireComplete(ModelReference model, List<RemoteFile> safetensors) throws HubException {
        int parts = safetensors.size() - 1;
        Optional<WeightsFile> last = WeightsFile.of(safetensors.getLast().path(), SAFETENSORS);
        if (parts > 0 && last.isPresent() && last.get().count() != parts) {
            throw HubException.mismatch(
                    model.repository(),
                    last.get().count() + " parts of " + last.get().stem() + SAFETENSORS,
                    parts,
                    "the repository is incomplete, tell its owner");
        }
    }

    private static Optional<RemoteFile> find(List<RemoteFile> files, String path) {
        return files.stream().filter(file -> file.path().equals(path)).findFirst();
    }

    private static boolean isCompanion(RemoteFile file) {
        return COMPANIONS.contains(file.path())
                || (NOTICES.matcher(file.path()).matches() && file.size() <= LONGEST_NOTICE);
    }

    /** Tells whether a loader finds the file at {@code path} when it is given the directory alone. */
    static boolean isFoundInDirectory(String path) {
        return path.equals(SINGLE) || path.equals(INDEX);
    }

    private static HubException nothingToLoad(ModelReference model, List<RemoteFile> offered) {
        String expected = SINGLE + ", " + INDEX + " with its parts, or GGUF files";
        List<String> pickles = offered.stream()
                .map(RemoteFile::path)
                .filter(path -> PICKLES.matcher(path).matches())
                .limit(MOST_LISTED)
                .map(HubException::printable)
                .toList();
        if (!pickles.isEmpty()) {
            return HubException.mismatch(
                    model.repository(),
                    expected,
                    "only PyTorch's pickles (" + String.join(", ", pickles) + "), which Setun does not read",
                    "look for a safetensors version among its revisions, or save it as safetensors with transformers");
        }
        List<String> weights = offered.stream()
                .map(RemoteFile::path)
                .filter(path -> path.endsWith(SAFETENSORS))
                .limit(MOST_LISTED)
                .map(HubException::printable)
                .toList();
        return weights.isEmpty()
                ? HubException.mismatch(model.repository(), expected, "none of them", "choose another model")
                : HubException.mismatch(
                        model.repository(),
                        expected,
                        String.join(", ", weights),
                        "name what you want with --file or --include");
    }
}
