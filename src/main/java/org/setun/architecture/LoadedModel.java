package org.setun.architecture;

import java.util.Optional;
import org.setun.model.TernaryModel;

/**
 * A model in memory with what its checkpoint says about it.
 *
 * @param model owned by the receiver, who closes it
 * @param report what the checkpoint holds
 * @param defaults how its authors want it to generate
 * @param digest names what the model computes, see {@link ModelLoader#loadNamed}; empty where nobody asked for it
 * @param maxActivationSparsity the most activation sparsity that requests may ask for; 0 for none, always less than 1
 */
public record LoadedModel(
        TernaryModel model,
        ModelReport report,
        GenerationDefaults defaults,
        Optional<String> digest,
        double maxActivationSparsity) {}
