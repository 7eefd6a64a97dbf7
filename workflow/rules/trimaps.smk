rule trimaps:
    input:
        manifest=manifest_of,
        checks=checks_of,
        activations=shard_of("activations"),
        corrections=lambda wildcards: plan.corrections.get((wildcards.key, wildcards.shard), []),
        settings="results/trimaps/{key}/settings.yaml",
        code=code_of("trimaps"),
    output:
        "results/trimaps/{key}/shard-{shard}.h5",
    log:
        "logs/trimaps/{key}/{shard}.log",
    conda:
        "../../envs/matlabel.yaml"
    resources:
        mem_mb=memory_of,
        runtime=minutes_of,
        cpus_per_task=cores_of,
    params:
        code=sources_digest("trimaps"),
        corrections=lambda wildcards, input: option("corrections", input.corrections),
    shell:
        "matlabel trimaps --settings {input.settings} --dataset {input.manifest} --activations {input.activations}"
        " {params.corrections} --out {output} --code {params.code} > {log} 2>&1"
