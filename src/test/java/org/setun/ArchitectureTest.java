package org.setun;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Arena;

/** States who may import whom: the picture in the README, executable. */
@AnalyzeClasses(packages = "org.setun", importOptions = DoNotIncludeTests.class)
final class ArchitectureTest {

    @ArchTest
    static final ArchRule packagesImportOnlyWhatTheDesignAllows = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("root")
            .definedBy("org.setun")
            .layer("cli")
            .definedBy("org.setun.cli..")
            .layer("web")
            .definedBy("org.setun.web..")
            .layer("generation")
            .definedBy("org.setun.generation..")
            .layer("tokenizer")
            .definedBy("org.setun.tokenizer..")
            .layer("metrics")
            .definedBy("org.setun.metrics..")
            .layer("engine")
            .definedBy("org.setun.engine..")
            .layer("sampling")
            .definedBy("org.setun.sampling..")
            .layer("hub")
            .definedBy("org.setun.hub..")
            .layer("store")
            .definedBy("org.setun.store..")
            .layer("architecture")
            .definedBy("org.setun.architecture..")
            .layer("model")
            .definedBy("org.setun.model..")
            .layer("checkpoint")
            .definedBy("org.setun.checkpoint..")
            .layer("kernel")
            .definedBy("org.setun.kernel..")
            .layer("tensor")
            .definedBy("org.setun.tensor..")
            .whereLayer("root")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("cli")
            .mayOnlyBeAccessedByLayers("root")
            .whereLayer("web")
            .mayOnlyBeAccessedByLayers("root")
            .whereLayer("metrics")
            .mayOnlyBeAccessedByLayers("root")
            .whereLayer("generation")
            .mayOnlyBeAccessedByLayers("root", "cli", "web")
            .whereLayer("tokenizer")
            .mayOnlyBeAccessedByLayers("root", "cli", "web", "generation")
            .whereLayer("engine")
            .mayOnlyBeAccessedByLayers("root", "cli", "web", "generation", "metrics", "store")
            .whereLayer("sampling")
            .mayOnlyBeAccessedByLayers("root", "cli", "web", "generation", "engine")
            .whereLayer("hub")
            .mayOnlyBeAccessedByLayers("cli")
            .whereLayer("store")
            .mayOnlyBeAccessedByLayers("root")
            .whereLayer("architecture")
            .mayOnlyBeAccessedByLayers("root", "cli")
            .whereLayer("model")
            .mayOnlyBeAccessedByLayers("root", "cli", "architecture", "engine")
            .whereLayer("checkpoint")
            .mayOnlyBeAccessedByLayers("root", "cli", "architecture")
            .whereLayer("kernel")
            .mayOnlyBeAccessedByLayers("root", "cli", "architecture", "model")
            .whereLayer("tensor")
            .mayOnlyBeAccessedByLayers("root", "cli", "architecture", "model", "checkpoint", "kernel");

    @ArchTest
    static final ArchRule theHubStandsAlone = noClasses()
            .that()
            .resideInAPackage("org.setun.hub..")
            .should()
            .dependOnClassesThat(resideInAPackage("org.setun..").and(not(resideInAPackage("org.setun.hub.."))));

    @ArchTest
    static final ArchRule springLivesInTheRootAndTheWeb = noClasses()
            .that()
            .resideOutsideOfPackages("org.setun", "org.setun.web..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.springframework..");

    @ArchTest
    static final ArchRule reactorLivesInTheWeb = noClasses()
            .that()
            .resideOutsideOfPackage("org.setun.web..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("reactor..");

    @ArchTest
    static final ArchRule micrometerLivesInMetricsAndTheRoot = noClasses()
            .that()
            .resideOutsideOfPackages("org.setun", "org.setun.metrics..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.micrometer..");

    @ArchTest
    static final ArchRule theClientOfRedisLivesInTheStore = noClasses()
            .that()
            .resideOutsideOfPackage("org.setun.store..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.lettuce..");

    @ArchTest
    static final ArchRule theVectorApiLivesInKernel = noClasses()
            .that()
            .resideOutsideOfPackage("org.setun.kernel..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("jdk.incubator.vector..");

    @ArchTest
    static final ArchRule jsonLivesWhereDocumentsAreReadAndWritten = noClasses()
            .that()
            .resideOutsideOfPackages(
                    "org.setun",
                    "org.setun.web..",
                    "org.setun.cli..",
                    "org.setun.hub..",
                    "org.setun.checkpoint..",
                    "org.setun.architecture..",
                    "org.setun.tokenizer..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("tools.jackson..", "com.fasterxml.jackson..");

    @ArchTest
    static final ArchRule offHeapMemoryIsFreedByItsOwner = noClasses().should().callMethod(Arena.class, "ofAuto");
}
