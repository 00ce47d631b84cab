package org.setun.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.ModelReport;

/** A {@link ModelReport} as {@code inspect --json} prints it. */
record ReportJson(
        String path,
        String family,
        String architecture,
        List<String> composition,
        int layers,
        long parameters,
        @JsonProperty("stored_bytes") long storedBytes,
        @JsonProperty("loaded_bytes") long loadedBytes,
        @JsonProperty("recurrent_bytes_per_sequence") long recurrentBytes,
        @JsonProperty("key_value_bytes_per_token") long tokenBytes,
        @JsonProperty("zero_fraction") double zeroFraction,
        boolean runs,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String obstacle,
        List<StoredTensor> tensors,
        List<TernaryTensor> ternary) {

    /** A tensor as it is stored. */
    record StoredTensor(String name, String type, List<Long> shape, long bytes) {}

    /** A matrix that is ternary once loaded. */
    record TernaryTensor(
            String name,
            List<Integer> shape,
            @JsonProperty("zero_fraction") double zeroFraction) {}

    static ReportJson of(String path, ModelReport report) {
        return new ReportJson(
                path,
                report.family(),
                report.architecture(),
                report.composition(),
                report.layers(),
                report.parameters(),
                report.storedBytes(),
                report.loadedBytes(),
                report.sequence().recurrentBytes(),
                report.sequence().tokenBytes(),
                report.zeroFraction(),
                report.obstacle().isEmpty(),
                report.obstacle().orElse(null),
                report.stored().stream()
                        .map(tensor -> new StoredTensor(
                                tensor.name(),
                                tensor.type().name(),
                                tensor.shape().dimensions(),
                                tensor.bytes()))
                        .toList(),
                report.ternary().stream()
                        .map(matrix -> new TernaryTensor(
                                matrix.name(), List.of(matrix.rows(), matrix.columns()), matrix.zeroFraction()))
                        .toList());
    }
}
