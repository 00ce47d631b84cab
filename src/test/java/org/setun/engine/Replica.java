package org.setun.engine;

import static org.setun.store.Waiting.until;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.setun.model.Model;
import org.setun.sampling.SamplingParameters;
import org.setun.store.ModelIdentity;
import org.setun.store.RedisPrefixStore;
import org.setun.store.RedisSettings;

/** An engine and its way to Redis, for requests whose time-out is half a second. */
record Replica(Engine engine, RedisPrefixStore store) implements AutoCloseable {

    /** Returns the name of a model that nobody else has. */
    static ModelIdentity newIdentity() {
        return ModelIdentity.of(List.of(UUID.randomUUID().toString()));
    }

    /** Starts one of four places, and waits until it has reached Redis. */
    static Replica connected(Model model, String uri, ModelIdentity identity) {
        Replica replica = start(model, uri, identity);
        until(replica.store()::isConnected);
        return replica;
    }

    /** Starts one of four places. */
    static Replica start(Model model, String uri, ModelIdentity identity) {
        RedisSettings settings = new RedisSettings(uri, Duration.ofMillis(500), Duration.ofMinutes(5), 8 << 20);
        RedisPrefixStore store = new RedisPrefixStore(settings, identity);
        return new Replica(
                new Engine(model, Settings.cached(4, 64, 8 << 20, 8 << 20), EngineObserver.NONE, store), store);
    }

    /** Submits a request for the likeliest tokens. */
    Recording ask(int[] prompt, int maxTokens) throws EngineRejectedException {
        return ask(new TokenRequest("r", prompt, maxTokens, SamplingParameters.GREEDY, Set.of()));
    }

    Recording ask(TokenRequest request) throws EngineRejectedException {
        Recording recording = new Recording();
        engine.submit(request, recording);
        return recording;
    }

    /** Returns how many states have been saved. */
    long saved() {
        return store.status().saved();
    }

    @Override
    public void close() {
        engine.close();
        store.close();
    }
}
