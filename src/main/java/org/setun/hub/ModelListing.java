package org.setun.hub;

import java.util.List;

/**
 * All files of a model at one commit.
 *
 * @param commit the commit's hash: what is fetched by it cannot change
 */
record ModelListing(String commit, List<RemoteFile> files) {

    ModelListing {
        files = List.copyOf(files);
    }
}
