package org.setun.hub;

import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns a name that a hub gave into a path inside a directory, or refuses it. A hub may be hostile, and the directory may
 * lie on any system, so that what is special on one of them is refused on all.
 */
final class RepositoryPath {

    /** Where a pull keeps its own files, which no file of a model may take. */
    static final String RESERVED = ".setun-pull";

    private static final int LONGEST_PATH = 1024;
    private static final int LONGEST_SEGMENT = 255;

    // Names that are devices on Windows, with any extension.
    private static final Set<String> DEVICES = Set.of("con", "prn", "aux", "nul", "conin$", "conout$");
    private static final String NUMBERED_DEVICES = "(com|lpt)[0-9¹²³]";

    private RepositoryPath() {}

    /**
     * Returns where the file called {@code name} belongs in {@code directory}.
     *
     * @throws HubException if the name could mean anything else
     */
    static Path resolve(Path directory, String name) throws HubException {
        @Nullable String fault = fault(name);
        if (fault != null) {
            throw new HubException("the hub lists a file called \"" + HubException.printable(name) + "\": " + fault
                    + "; do not use this model, or leave the file out with --exclude");
        }
        try {
            return directory.resolve(name);
        } catch (InvalidPathException e) {
            throw new HubException(
                    "the hub lists a file called \"" + HubException.printable(name)
                            + "\": this system cannot have such a name; leave the file out with --exclude",
                    e);
        }
    }

    /** Checks that no two names are one file where case does not count, nor one a directory of the other. */
    static void requireDistinct(Collection<String> names) throws HubException {
        Map<String, String> files = new HashMap<>();
        for (String name : names) {
            @Nullable String other = files.put(name.toLowerCase(Locale.ROOT), name);
            if (other != null) {
                throw conflict(name, other);
            }
        }
        for (String name : names) {
            String folded = name.toLowerCase(Locale.ROOT);
            for (int slash = folded.indexOf('/'); slash >= 0; slash = folded.indexOf('/', slash + 1)) {
                @Nullable String other = files.get(folded.substring(0, slash));
                if (other != null) {
                    throw conflict(name, other);
                }
            }
        }
    }

    private static HubException conflict(String name, String other) {
        return new HubException("the hub lists \"" + HubException.printable(name) + "\" and \""
                + HubException.printable(other) + "\", which cannot both be files in one directory; leave one out with"
                + " --exclude");
    }

    private static @Nullable String fault(String name) {
        if (name.isEmpty() || bytes(name) > LONGEST_PATH) {
            return "expected 1 to " + LONGEST_PATH + " bytes, found " + bytes(name);
        }
        if (!name.codePoints().allMatch(HubException::isPrintable)) {
            return "it holds characters that do not print";
        }
        if (name.indexOf('\\') >= 0 || name.indexOf(':') >= 0) {
            return "it holds a backslash or a colon";
        }
        String[] segments = name.split("/", -1);
        for (String segment : segments) {
            @Nullable String fault = segmentFault(segment);
            if (fault != null) {
                return fault;
            }
        }
        return segments[0].equalsIgnoreCase(RESERVED) ? "that name is Setun's own" : null;
    }

    private static @Nullable String segmentFault(String segment) {
        if (segment.isEmpty()) {
            return "it is absolute or has an empty part";
        }
        if (segment.equals(".") || segment.equals("..")) {
            return "it leads out of its directory";
        }
        if (bytes(segment) > LONGEST_SEGMENT) {
            return "expected parts of up to " + LONGEST_SEGMENT + " bytes, found " + bytes(segment);
        }
        if (segment.endsWith(".") || segment.endsWith(" ")) {
            return "a part of it ends in a dot or a space";
        }
        if (segment.equalsIgnoreCase(".git")) {
            return "it lies in a git directory";
        }
        int dot = segment.indexOf('.');
        String stem = (dot < 0 ? segment : segment.substring(0, dot)).strip().toLowerCase(Locale.ROOT);
        return DEVICES.contains(stem) || stem.matches(NUMBERED_DEVICES) ? "a part of it names a device" : null;
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
