package org.setun.architecture;

import org.setun.model.TernaryModel;

/**
 * A model in memory with what its checkpoint says about it.
 *
 * @param model owned by the receiver, who closes it
 * @param report what the checkpoint holds
 * @param defaults how its authors want it to generate
 * @param maxActivationSparsity the most activation sparsity that requests may ask for; 0 for none, always less than 1
 */
public record LoadedModel(
        TernaryModel model, ModelReport report, GenerationDefaults defaults, double maxActivationSparsity) {}
