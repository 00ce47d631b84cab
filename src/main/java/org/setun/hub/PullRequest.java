package org.setun.hub;

import java.nio.file.Path;

/**
 * What to pull.
 *
 * @param connection the hub
 * @param wishes which files of the model
 * @param directory where the model's files shall lie; made if there is none
 * @param force whether to fetch again what is there, and to overwrite what no pull wrote
 */
public record PullRequest(
        HubConnection connection, ModelReference model, FileWishes wishes, Path directory, boolean force) {

    /** Checks that the wishes do not contradict each other. */
    public PullRequest {
        directory = directory.toAbsolutePath().normalize();
        if (model.quantisation().isPresent()
                && (!wishes.includes().isEmpty() || wishes.weights().isPresent())) {
            throw new IllegalArgumentException(
                    "expected a quantisation, a file of weights or patterns of all files, found two of them");
        }
    }
}
