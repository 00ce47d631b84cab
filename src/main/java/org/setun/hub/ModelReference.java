package org.setun.hub;

import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A model on a hub as a user names it: {@code OWNER/NAME}, {@code OWNER/NAME@REVISION}, {@code OWNER/NAME:QUANTISATION}, or
 * with both in any order, since no name, tag or branch holds a colon.
 *
 * @param revision a branch, a tag, a commit or {@code refs/pr/N}; {@code main} if none is named
 * @param quantisation which of several GGUF models, as {@code TQ2_0}
 */
public record ModelReference(String owner, String name, String revision, Optional<String> quantisation) {

    private static final String MAIN = "main";
    private static final String EXPECTED =
            "expected OWNER/NAME, OWNER/NAME@REVISION or OWNER/NAME:QUANTISATION, found ";
    private static final int LONGEST_REVISION = 255;

    // huggingface_hub's validate_repo_id: word characters, dots and dashes; dots and dashes neither first nor last.
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?");
    private static final Pattern QUANTISATION = Pattern.compile("[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?");

    /** Checks the parts; the names become directory names, so nothing else may pass. */
    public ModelReference {
        requireName("owner", owner);
        requireName("name", name);
        boolean plain = revision.codePoints().allMatch(HubException::isPrintable)
                && revision.codePoints().noneMatch(Character::isWhitespace);
        if (revision.isEmpty() || revision.length() > LONGEST_REVISION || !plain) {
            throw new IllegalArgumentException("revision: expected a branch, a tag or a commit, found \""
                    + HubException.printable(revision) + "\"");
        }
        if (quantisation.isPresent()
                && !QUANTISATION.matcher(quantisation.get()).matches()) {
            throw new IllegalArgumentException("quantisation: expected a name such as TQ2_0, found \""
                    + HubException.printable(quantisation.get()) + "\"");
        }
    }

    /**
     * Parses what a user wrote.
     *
     * @param revision the revision if it was given apart; null otherwise
     * @throws IllegalArgumentException if it names no model, or two revisions
     */
    public static ModelReference parse(String text, @Nullable String revision) {
        int at = text.indexOf('@');
        String repository = at < 0 ? text : text.substring(0, at);
        @Nullable String named = at < 0 ? null : text.substring(at + 1);
        @Nullable String quantisation = null;
        int colon = repository.indexOf(':');
        if (colon >= 0) {
            quantisation = repository.substring(colon + 1);
            repository = repository.substring(0, colon);
        } else if (named != null && named.indexOf(':') >= 0) {
            quantisation = named.substring(named.indexOf(':') + 1);
            named = named.substring(0, named.indexOf(':'));
        }
        int slash = repository.indexOf('/');
        if (slash < 0 || repository.indexOf('/', slash + 1) >= 0) {
            throw new IllegalArgumentException(EXPECTED + "\"" + HubException.printable(text) + "\"");
        }
        if (named != null && revision != null && !named.equals(revision)) {
            throw new IllegalArgumentException("expected one revision, found \"" + HubException.printable(named)
                    + "\" and \"" + HubException.printable(revision) + "\"");
        }
        @Nullable String chosen = named == null ? revision : named;
        return new ModelReference(
                repository.substring(0, slash),
                repository.substring(slash + 1),
                chosen == null ? MAIN : chosen,
                Optional.ofNullable(quantisation));
    }

    /** Returns {@code OWNER/NAME}. */
    public String repository() {
        return owner + "/" + name;
    }

    private static void requireName(String part, String text) {
        if (!NAME.matcher(text).matches() || text.contains("..") || text.contains("--") || text.endsWith(".git")) {
            throw new IllegalArgumentException(part
                    + ": expected up to 96 letters, digits, dots, dashes and underscores, found \""
                    + HubException.printable(text) + "\"");
        }
    }
}
