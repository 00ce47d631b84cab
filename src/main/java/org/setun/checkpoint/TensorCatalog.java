package org.setun.checkpoint;

import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** The tensors of one checkpoint by name, and which of them have been asked for. Safe for use by several threads. */
final class TensorCatalog {

    private static final int NAMES_IN_MESSAGE = 5;
    private static final int HINTS = 3;
    // Beyond these a hint is not worth the time that a broken file could make it take.
    private static final int MOST_NAMES_COMPARED = 20_000;
    private static final int LONGEST_NAME_COMPARED = 200;

    private final String location;
    private final Map<String, StoredTensor> tensors;
    private final Set<String> used = ConcurrentHashMap.newKeySet();

    /** Creates a catalog of {@code tensors}, whose names differ, in their order. */
    TensorCatalog(String location, List<StoredTensor> tensors) {
        this.location = location;
        Map<String, StoredTensor> byName = LinkedHashMap.newLinkedHashMap(tensors.size());
        for (StoredTensor tensor : tensors) {
            byName.put(tensor.name(), tensor);
        }
        this.tensors = Collections.unmodifiableMap(byName);
    }

    Collection<StoredTensor> tensors() {
        return tensors.values();
    }

    Optional<StoredTensor> find(String name) {
        Optional<StoredTensor> tensor = Optional.ofNullable(tensors.get(name));
        tensor.ifPresent(found -> used.add(found.name()));
        return tensor;
    }

    StoredTensor require(String name) throws CheckpointFormatException {
        return find(name).orElseThrow(() -> missing(name));
    }

    void requireAllUsed() throws CheckpointFormatException {
        List<String> unused =
                tensors.keySet().stream().filter(name -> !used.contains(name)).toList();
        if (unused.isEmpty()) {
            return;
        }
        String names = unused.stream()
                .limit(NAMES_IN_MESSAGE)
                .map(CheckpointFormatException::printable)
                .collect(Collectors.joining(", "));
        int more = unused.size() - NAMES_IN_MESSAGE;
        throw CheckpointFormatException.invalid(
                location,
                (unused.size() == 1 ? "a tensor" : unused.size() + " tensors") + " that the model does not have: "
                        + names + (more > 0 ? " and " + more + " more" : ""),
                StoredTensor.SAME_MODEL);
    }

    private CheckpointFormatException missing(String name) {
        List<String> near = nearest(name);
        String found =
                near.isEmpty() ? "no such tensor" : "no such tensor, the nearest being " + String.join(", ", near);
        return CheckpointFormatException.invalid(location + ": tensor " + name, found, StoredTensor.SAME_MODEL);
    }

    /** Returns the names that a few typing errors or another prefix could have made of {@code name}, best first. */
    private List<String> nearest(String name) {
        record Candidate(String name, int distance) {}
        return tensors.keySet().stream()
                .limit(MOST_NAMES_COMPARED)
                .filter(other -> other.length() <= LONGEST_NAME_COMPARED)
                .map(other -> new Candidate(other, editDistance(name, other)))
                .filter(candidate -> candidate.distance() <= name.length() / 2)
                .sorted(Comparator.comparingInt(Candidate::distance).thenComparing(Candidate::name))
                .limit(HINTS)
                .map(candidate -> CheckpointFormatException.printable(candidate.name()))
                .toList();
    }

    /** Returns the Levenshtein distance: how many insertions, deletions and replacements lie between two names. */
    private static int editDistance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, 1 + Math.min(previous[j], row[j - 1]));
            }
            int[] swap = previous;
            previous = row;
            row = swap;
        }
        return previous[b.length()];
    }
}
