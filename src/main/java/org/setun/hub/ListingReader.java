package org.setun.hub;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads what {@code GET /api/models/{repository}/revision/{revision}?blobs=true} answers: {@code sha}, and of each of the
 * {@code siblings} its {@code rfilename}, {@code size}, {@code blobId}, and {@code lfs} with {@code sha256} and {@code size}.
 * The size of a file in LFS is that of the file, not of the pointer that git holds.
 */
final class ListingReader {

    private static final String REMEDY = "check that the endpoint is a Hugging Face compatible hub";
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
    private static final String LFS_PREFIX = "sha256:";

    private ListingReader() {}

    /**
     * Reads a listing.
     *
     * @param where the address it came from, for messages
     */
    static ModelListing read(String where, byte[] json) throws HubException {
        JsonNode root;
        try {
            root = JsonMapper.shared().readTree(json);
        } catch (JacksonException e) {
            throw new HubException(where + ": expected a list of files in JSON, found another text; " + REMEDY, e);
        }
        JsonNode sha = root.path("sha");
        if (!sha.isString() || !COMMIT.matcher(sha.stringValue()).matches()) {
            throw HubException.mismatch(where, "the hash of a commit as \"sha\"", quote(sha), REMEDY);
        }
        JsonNode siblings = root.path("siblings");
        if (!siblings.isArray()) {
            throw HubException.mismatch(where, "an array of \"siblings\"", quote(siblings), REMEDY);
        }
        List<RemoteFile> files = new ArrayList<>();
        for (JsonNode sibling : siblings) {
            files.add(file(where, sibling));
        }
        return new ModelListing(sha.stringValue(), files);
    }

    private static RemoteFile file(String where, JsonNode sibling) throws HubException {
        JsonNode name = sibling.path("rfilename");
        if (!name.isString()) {
            throw HubException.mismatch(where, "a file's \"rfilename\"", quote(sibling), REMEDY);
        }
        String path = name.stringValue();
        JsonNode lfs = sibling.path("lfs");
        JsonNode size = lfs.path("size").isMissingNode() ? sibling.path("size") : lfs.path("size");
        if (!size.isIntegralNumber() || !size.canConvertToLong() || size.longValue() < 0) {
            throw HubException.mismatch(
                    where + ": " + HubException.printable(path), "its size in bytes", quote(size), REMEDY);
        }
        Optional<Checksum> checksum = lfs.isObject()
                ? Checksum.of(Checksum.Kind.SHA256, sha256(lfs))
                : Checksum.of(Checksum.Kind.GIT_BLOB, text(sibling.path("blobId")));
        if (checksum.isEmpty()) {
            throw HubException.mismatch(
                    where + ": " + HubException.printable(path),
                    "its checksum",
                    quote(sibling),
                    "nothing is fetched that cannot be verified, choose another endpoint");
        }
        return new RemoteFile(path, size.longValue(), checksum.get());
    }

    /** Returns LFS's object id: the hub calls it {@code sha256} here, and {@code oid} in its other listing. */
    private static String sha256(JsonNode lfs) {
        String oid = text(lfs.path("sha256").isMissingNode() ? lfs.path("oid") : lfs.path("sha256"));
        return oid.startsWith(LFS_PREFIX) ? oid.substring(LFS_PREFIX.length()) : oid;
    }

    private static String text(JsonNode node) {
        return node.isString() ? node.stringValue().toLowerCase(Locale.ROOT) : "";
    }

    private static String quote(JsonNode node) {
        return node.isMissingNode() ? "nothing" : HubException.printable(node.toString());
    }
}
