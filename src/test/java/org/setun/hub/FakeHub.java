package org.setun.hub;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A server that speaks the part of a hub's interface that a pull uses, over plain sockets, so that a test can end a
 * connection at any byte. Files of one model lie in commits; large ones are redirected to {@link #storage}, as the hub
 * redirects them to a host of its own.
 */
public final class FakeHub implements AutoCloseable {

    private static final Pattern LISTING = Pattern.compile("/api/models/([^/]+/[^/]+)/revision/([^?]+)\\?blobs=true");
    private static final Pattern FILE = Pattern.compile("/([^/]+/[^/]+)/resolve/([0-9a-f]{40})/(.+)");
    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-");
    private static final String STORED = "/stored/";

    private final ServerSocket socket;
    private final String repository;
    private final Map<String, Map<String, File>> commits = new ConcurrentHashMap<>();
    private final Map<String, String> revisions = new ConcurrentHashMap<>();
    private final Map<String, byte[]> stored = new ConcurrentHashMap<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private final ConcurrentLinkedQueue<Rule> rules = new ConcurrentLinkedQueue<>();
    private Optional<FakeHub> storage = Optional.empty();
    private Map<String, File> next = new TreeMap<>();

    /** A file: its bytes, and whether it lies in LFS. */
    record File(byte[] bytes, boolean large) {}

    /** What a client asked: headers in lower case. */
    public record Request(String path, Map<String, String> headers) {

        /** Returns a header, or an empty text. */
        public String header(String name) {
            return headers.getOrDefault(name.toLowerCase(Locale.ROOT), "");
        }
    }

    /** What to answer. */
    record Reply(int status, Map<String, String> headers, byte[] body, int cutAfter, boolean silent) {

        Reply(int status, Map<String, String> headers, byte[] body) {
            this(status, headers, body, Integer.MAX_VALUE, false);
        }

        /** A whole reply. */
        static Reply of(int status, Map<String, String> headers, String body) {
            return new Reply(status, headers, body.getBytes(StandardCharsets.UTF_8));
        }

        /** The same, but the connection ends after so many bytes of the body; below 0 before the first header. */
        Reply cutAfter(int bytes) {
            return new Reply(status, headers, body, bytes, false);
        }

        /** The same, but nothing comes after so many bytes of the body, and the connection stays. */
        Reply silentAfter(int bytes) {
            return new Reply(status, headers, body, bytes, true);
        }

        /** The same with a header more. */
        Reply with(String name, String value) {
            Map<String, String> more = new LinkedHashMap<>(headers);
            more.put(name, value);
            return new Reply(status, more, body, cutAfter, silent);
        }
    }

    /** Changes an answer, once. */
    @FunctionalInterface
    interface Change {
        Reply apply(Reply usual);
    }

    private record Rule(String part, Change change) {}

    private FakeHub(String repository) throws IOException {
        this.repository = repository;
        this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    /** Starts a hub that holds one model. */
    public static FakeHub start(String repository) throws IOException {
        return new FakeHub(repository);
    }

    /** Redirects large files to {@code other}, which belongs to the caller. */
    public FakeHub storage(FakeHub other) {
        storage = Optional.of(other);
        return this;
    }

    /** Adds a file in git to the next commit. */
    public FakeHub put(String path, byte[] bytes) {
        next.put(path, new File(bytes, false));
        return this;
    }

    /** Adds a file in git to the next commit. */
    public FakeHub put(String path, String text) {
        return put(path, text.getBytes(StandardCharsets.UTF_8));
    }

    /** Adds a file in LFS to the next commit. */
    public FakeHub putLarge(String path, byte[] bytes) {
        next.put(path, new File(bytes, true));
        return this;
    }

    /** Removes a file from the next commit. */
    FakeHub remove(String path) {
        next.remove(path);
        return this;
    }

    /** Commits all files so far to {@code main}, and returns the commit. */
    public String commit() {
        return commit("main");
    }

    /** Commits all files so far to {@code revision}, and returns the commit. */
    String commit(String revision) {
        String commit = String.format(Locale.ROOT, "%040x", commits.size() + 0xabc0);
        commits.put(commit, next);
        revisions.put(revision, commit);
        revisions.put(commit, commit);
        next = new TreeMap<>(next);
        return commit;
    }

    /** Changes the next answer to a request whose path holds {@code part}. */
    FakeHub once(String part, Change change) {
        rules.add(new Rule(part, change));
        return this;
    }

    /**
     * Ends the connection of the next answer to a request whose path holds {@code part} after so many bytes, and sends
     * nothing at all to the one after it.
     */
    public FakeHub breakOnceThenFallSilent(String part, int bytes) {
        return once(part, reply -> reply.cutAfter(bytes)).once(part, reply -> reply.silentAfter(0));
    }

    /** Returns what was asked so far. */
    public List<Request> requests() {
        return List.copyOf(requests);
    }

    /** Returns the requests whose path ends so. */
    List<Request> requestsFor(String path) {
        return requests.stream()
                .filter(request -> request.path().endsWith(path))
                .toList();
    }

    /** Forgets the changes that no answer has met. */
    void forgetRules() {
        rules.clear();
    }

    /** Forgets what was asked so far. */
    void forgetRequests() {
        requests.clear();
    }

    /** Returns the hub's address. */
    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + socket.getLocalPort());
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket connection = socket.accept();
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket connection) {
        try (connection;
                InputStream in = new BufferedInputStream(connection.getInputStream());
                OutputStream out = new BufferedOutputStream(connection.getOutputStream())) {
            while (true) {
                Optional<Request> request = read(in);
                if (request.isEmpty()) {
                    return;
                }
                requests.add(request.get());
                Reply reply = change(request.get(), answer(request.get()));
                if (!write(reply, out)) {
                    if (reply.silent()) {
                        // Returns when the client gives up.
                        in.read();
                    }
                    return;
                }
            }
        } catch (IOException e) {
            // The client ended the connection.
        }
    }

    private static Optional<Request> read(InputStream in) throws IOException {
        String first = line(in);
        if (first.isEmpty()) {
            return Optional.empty();
        }
        Map<String, String> headers = new LinkedHashMap<>();
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        return Optional.of(new Request(first.split(" ", 3)[1], headers));
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
            line.append((char) next);
        }
        return line.toString().strip();
    }

    private Reply change(Request request, Reply usual) {
        for (Rule rule : rules) {
            if (request.path().contains(rule.part()) && rules.remove(rule)) {
                return rule.change().apply(usual);
            }
        }
        return usual;
    }

    /** Writes a reply; returns whether the connection goes on. */
    private static boolean write(Reply reply, OutputStream out) throws IOException {
        if (reply.cutAfter() < 0) {
            return false;
        }
        StringBuilder head = new StringBuilder("HTTP/1.1 " + reply.status() + " Reason\r\n");
        Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.put("Content-Length", String.valueOf(reply.body().length));
        headers.putAll(reply.headers());
        headers.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        out.write(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        int length = Math.min(reply.body().length, reply.cutAfter());
        out.write(reply.body(), 0, length);
        out.flush();
        return length == reply.body().length;
    }

    private Reply answer(Request request) {
        Matcher listing = LISTING.matcher(request.path());
        if (listing.matches()) {
            return list(listing.group(1), URLDecoder.decode(listing.group(2), StandardCharsets.UTF_8));
        }
        Matcher file = FILE.matcher(request.path());
        if (file.matches()) {
            return file(request, file.group(2), URLDecoder.decode(file.group(3), StandardCharsets.UTF_8));
        }
        if (request.path().startsWith(STORED)) {
            String stored =
                    request.path().substring(STORED.length(), request.path().indexOf('?'));
            return bytes(request, this.stored.getOrDefault(stored, new byte[0]));
        }
        return Reply.of(404, Map.of(), "");
    }

    private Reply list(String name, String revision) {
        if (!name.equals(repository)) {
            return Reply.of(
                    401,
                    Map.of("X-Error-Code", "RepoNotFound", "X-Error-Message", "Invalid username or password."),
                    "");
        }
        if (!revisions.containsKey(revision)) {
            String message = "Invalid rev id: " + revision;
            return Reply.of(404, Map.of("X-Error-Code", "RevisionNotFound", "X-Error-Message", message), "");
        }
        String commit = revisions.getOrDefault(revision, "");
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("id", name).put("sha", commit).put("private", false);
        ArrayNode siblings = root.putArray("siblings");
        commits.getOrDefault(commit, Map.of()).forEach((path, file) -> {
            ObjectNode sibling = siblings.addObject().put("rfilename", path).put("size", file.bytes().length);
            if (file.large()) {
                // The blob in git is a pointer, whose checksum says nothing about the file.
                sibling.put("blobId", "0".repeat(40))
                        .putObject("lfs")
                        .put("sha256", checksum(Checksum.Kind.SHA256, file.bytes()))
                        .put("size", file.bytes().length)
                        .put("pointerSize", 135);
            } else {
                sibling.put("blobId", checksum(Checksum.Kind.GIT_BLOB, file.bytes()));
            }
        });
        return Reply.of(200, Map.of("Content-Type", "application/json"), root.toString());
    }

    static String checksum(Checksum.Kind kind, byte[] bytes) {
        var digest = kind.start(bytes.length);
        digest.update(bytes);
        return kind.finish(digest).hex();
    }

    private Reply file(Request request, String commit, String path) {
        Map<String, File> files = commits.getOrDefault(commit, Map.of());
        if (!files.containsKey(path)) {
            return Reply.of(404, Map.of("X-Error-Code", "EntryNotFound"), "Entry not found");
        }
        File file = files.get(path);
        if (file.large() && storage.isPresent()) {
            String name = checksum(Checksum.Kind.SHA256, file.bytes());
            storage.get().stored.put(name, file.bytes());
            String location = storage.get().endpoint() + STORED + name + "?Signature=secret";
            return Reply.of(302, Map.of("Location", location, "X-Repo-Commit", commit), "Found. Redirecting");
        }
        return bytes(request, file.bytes());
    }

    private static Reply bytes(Request request, byte[] bytes) {
        Matcher range = RANGE.matcher(request.header("Range"));
        if (!range.matches()) {
            return new Reply(200, Map.of("Accept-Ranges", "bytes"), bytes);
        }
        int from = Integer.parseInt(range.group(1));
        if (from >= bytes.length) {
            return Reply.of(416, Map.of("Content-Range", "bytes */" + bytes.length), "");
        }
        byte[] rest = Arrays.copyOfRange(bytes, from, bytes.length);
        String content = "bytes " + from + "-" + (bytes.length - 1) + "/" + bytes.length;
        return new Reply(206, Map.of("Content-Range", content), rest);
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
