rule labels:
    input:
        manifest=manifest_of,
        checks=checks_of,
        mattes=shard_of("mattes"),
        masks=lambda wildcards: plan.label_masks(wildcards.key, wildcards.shard),
        settings="results/labels/{key}/settings.yaml",
        code=code_of("labels"),
    output:
        shard="results/labels/{key}/shard-{shard}.h5",
        png=directory("results/labels/{key}/png/shard-{shard}"),
    log:
        "logs/labels/{key}/{shard}.log",
    conda:
        "../../envs/matlabel.yaml"
    resources:
        mem_mb=memory_of,
        runtime=minutes_of,
        cpus_per_task=cores_of,
    params:
        code=sources_digest("labels"),
        source=lambda wildcards, input: option("mattes", input.mattes) or option("masks", input.masks),
    shell:
        "matlabel labels --settings {input.settings} --dataset {input.manifest} {params.source}"
        " --out {output.shard} --png {output.png} --code {params.code} > {log} 2>&1"
