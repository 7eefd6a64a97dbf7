rule predictions:
    input:
        manifest=manifest_of,
        checks=checks_of,
        weights=weights_of("segmenter"),
        settings="results/predictions/{key}/settings.yaml",
        code=code_of("predictions"),
    output:
        shard="results/predictions/{key}/shard-{shard}.h5",
        png=directory("results/predictions/{key}/png/shard-{shard}"),
    log:
        "logs/predictions/{key}/{shard}.log",
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
        code=sources_digest("predictions"),
    shell:
        "matlabel predictions --settings {input.settings} --dataset {input.manifest} --weights {input.weights}"
        " --out {output.shard} --png {output.png} --device {resources.device} --code {params.code} > {log} 2>&1"
