rule activations:
    input:
        manifest=manifest_of,
        checks=checks_of,
        cam=weights_of("cam"),
        segmenter=weights_of("segmenter"),
        maps=lambda wildcards: plan.maps.get((wildcards.key, wildcards.shard), []),
        settings="results/activations/{key}/settings.yaml",
        code=lambda wildcards: plan.code_file("activations", entry_of(wildcards)),
    output:
        "results/activations/{key}/shard-{shard}.h5",
    log:
        "logs/activations/{key}/{shard}.log",
    conda:
        "../../envs/matlabel.yaml"
    threads: threads_of
    resources:
        mem_mb=memory_of,
        runtime=minutes_of,
        cpus_per_task=cores_of,
        gpu=gpus_of,
        device=plan.config.device,
    params:
        code=lambda wildcards: sources_digest("activations", entry_of(wildcards)),
        source=lambda wildcards, input: option("weights", input.cam)
        or option("segmenter", input.segmenter)
        or option("maps", input.maps),
    shell:
        "matlabel activations --settings {input.settings} --dataset {input.manifest} {params.source}"
        " --out {output} --device {resources.device} --code {params.code} > {log} 2>&1"
