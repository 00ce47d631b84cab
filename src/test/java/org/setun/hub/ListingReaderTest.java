package org.setun.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ListingReaderTest {

    private static final String COMMIT = "017b9c7af6b5689d5dd426a76e0bc077eb5ca20a";
    private static final String BLOB = "2414184f64bda500ff7d0997c6a5e1a5bf69f84f";
    private static final String SHA256 = "07f700e293baeaf3cd4240c3df1a948c4403f16961ea7979e86c8d6a9f8fd466";

    private static ModelListing read(String siblings) throws HubException {
        String json = "{\"id\":\"a/b\",\"sha\":\"" + COMMIT + "\",\"siblings\":" + siblings + ",\"tags\":[]}";
        return ListingReader.read("hub", json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void readsFilesOfGitAndOfLfs() throws Exception {
        ModelListing listing = read("[{\"rfilename\":\"config.json\",\"blobId\":\"" + BLOB + "\",\"size\":7},"
                + "{\"rfilename\":\"m.safetensors\",\"blobId\":\"" + BLOB
                + "\",\"size\":8000000000,\"lfs\":{\"sha256\":\""
                + SHA256 + "\",\"size\":8000000000,\"pointerSize\":134}}]");
        assertThat(listing.commit()).isEqualTo(COMMIT);
        assertThat(listing.files())
                .containsExactly(
                        new RemoteFile("config.json", 7, new Checksum(Checksum.Kind.GIT_BLOB, BLOB)),
                        new RemoteFile("m.safetensors", 8_000_000_000L, new Checksum(Checksum.Kind.SHA256, SHA256)));
    }

    @Test
    void theSizeOfALargeFileIsNotThatOfItsPointer() throws Exception {
        ModelListing listing =
                read("[{\"rfilename\":\"m\",\"size\":134,\"lfs\":{\"oid\":\"sha256:" + SHA256 + "\",\"size\":5}}]");
        assertThat(listing.files()).containsExactly(new RemoteFile("m", 5, new Checksum(Checksum.Kind.SHA256, SHA256)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "{}",
                "[1]",
                "[{}]",
                "[{\"rfilename\":1}]",
                "[{\"rfilename\":\"a\"}]",
                "[{\"rfilename\":\"a\",\"size\":-1,\"blobId\":\"2414184f64bda500ff7d0997c6a5e1a5bf69f84f\"}]",
                "[{\"rfilename\":\"a\",\"size\":1.5,\"blobId\":\"2414184f64bda500ff7d0997c6a5e1a5bf69f84f\"}]",
                "[{\"rfilename\":\"a\",\"size\":1e30,\"blobId\":\"2414184f64bda500ff7d0997c6a5e1a5bf69f84f\"}]",
                "[{\"rfilename\":\"a\",\"size\":1}]",
                "[{\"rfilename\":\"a\",\"size\":1,\"blobId\":\"2414\"}]",
                "[{\"rfilename\":\"a\",\"size\":1,\"lfs\":{\"sha256\":\"x\",\"size\":1}}]"
            })
    void aListingThatLacksSomethingIsRefused(String siblings) {
        assertThatThrownBy(() -> read(siblings))
                .isInstanceOf(HubException.class)
                .hasMessageStartingWith("hub")
                .hasMessageContaining(": expected ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "[]", "{}", "{\"sha\":\"main\",\"siblings\":[]}", "{\"sha\":\"../x\"}", "<html>", "{\"sha"})
    void whatIsNoListingIsRefused(String text) {
        assertThatThrownBy(() -> ListingReader.read("hub", text.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(HubException.class);
    }
}
