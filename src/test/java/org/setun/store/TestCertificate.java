package org.setun.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;

/**
 * A certificate that signs itself, for this machine's own names, made by the JDK's keytool.
 *
 * @param file the certificate
 * @param keyFile its private key, unencrypted
 * @param trustStore has the certificate alone, for those who are to trust it
 */
record TestCertificate(Path file, Path keyFile, Path trustStore) {

    static final String PASSWORD = "changeit";

    private static final String ALIAS = "redis";

    /** Makes one in {@code directory}. */
    static TestCertificate in(Path directory) throws IOException, GeneralSecurityException, InterruptedException {
        Path keys = directory.resolve("keys.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        ALIAS,
                        "-keyalg",
                        "EC",
                        "-groupname",
                        "secp256r1",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "san=dns:localhost,ip:127.0.0.1,ip:0:0:0:0:0:0:0:1",
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        keys.toString(),
                        "-storepass",
                        PASSWORD)
                .redirectErrorStream(true)
                .start();
        String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (keytool.waitFor() != 0) {
            throw new IOException("keytool: " + output);
        }
        KeyStore made = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keys)) {
            made.load(in, PASSWORD.toCharArray());
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry(ALIAS, made.getCertificate(ALIAS));
        TestCertificate certificate = new TestCertificate(
                directory.resolve("cert.pem"), directory.resolve("key.pem"), directory.resolve("trusted.p12"));
        try (OutputStream out = Files.newOutputStream(certificate.trustStore())) {
            trusted.store(out, PASSWORD.toCharArray());
        }
        Files.writeString(
                certificate.file(),
                pem("CERTIFICATE", made.getCertificate(ALIAS).getEncoded()));
        Files.writeString(
                certificate.keyFile(),
                pem("PRIVATE KEY", made.getKey(ALIAS, PASSWORD.toCharArray()).getEncoded()));
        return certificate;
    }

    private static String pem(String name, byte[] der) {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return "-----BEGIN " + name + "-----\n" + base64 + "\n-----END " + name + "-----\n";
    }

    byte[] pem() {
        return read(file);
    }

    byte[] keyPem() {
        return read(keyFile);
    }

    private static byte[] read(Path path) {
        try {
            return Files.readAllBytes(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
