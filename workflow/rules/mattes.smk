rule mattes:
    input:
        manifest=manifest_of,
        checks=checks_of,
        activations=shard_of("activations"),
        trimaps=shard_of("trimaps"),
        settings="results/mattes/{key}/settings.yaml",
        network=start_of,
        code=code_of("mattes"),
    output:
        "results/mattes/{key}/shard-{shard}.h5",
    log:
        "logs/mattes/{key}/{shard}.log",
    conda:
        "../../envs/matlabel.yaml"
    threads: matting_threads_of
    resources:
        mem_mb=memory_of,
        runtime=minutes_of,
        cpus_per_task=cores_of,
        gpu=matting_gpus_of,
        device=plan.config.device,
    params:
        code=sources_digest("mattes"),
        trimaps=lambda wildcards, input: option("trimaps", input.trimaps),
    shell:
        "matlabel mattes --settings {input.settings} --dataset {input.manifest} --activations {input.activations}"
        " {params.trimaps} --out {output} --device {resources.device} --workers {threads} --code {params.code} > {log} 2>&1"
